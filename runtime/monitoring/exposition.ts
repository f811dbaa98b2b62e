/**
 * Prometheus' text format, version 0.0.4. Every number comes from a counter that another part of the server already keeps, so it is read when a
 * scraper asks. docs/decisions/prometheus-text.md says why no client library writes it.
 */

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** By name, without the `le` label of a histogram's buckets. */
export type Labels = Readonly<Record<string, string>>;

/** Cumulative buckets in ascending order: how often something took at most so many seconds. */
export interface HistogramValue {
  readonly buckets: readonly (readonly [mostSeconds: number, count: number])[];
  readonly count: number;
  readonly sumSeconds: number;
}

export class Exposition {
  #text = '';
  #head = '';
  #name = '';

  /** Begins a metric. One that gets no values is left out. @param name ends in _total for a counter */
  metric(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): this {
    this.#name = name;
    this.#head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    return this;
  }

  value(value: number, labels: Labels = {}): this {
    this.#line('', labels, '', value);
    return this;
  }

  histogram({ buckets, count, sumSeconds }: HistogramValue, labels: Labels = {}): this {
    for (const [mostSeconds, most] of buckets) this.#line('_bucket', labels, String(mostSeconds), most);
    this.#line('_bucket', labels, '+Inf', count);
    this.#line('_sum', labels, '', sumSeconds);
    this.#line('_count', labels, '', count);
    return this;
  }

  get text(): string {
    return this.#text;
  }

  /** @param le the bound of a bucket; empty if the line is none */
  #line(suffix: string, labels: Labels, le: string, value: number): void {
    this.#text += this.#head;
    this.#head = '';
    const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escaped(text)}"`);
    if (le !== '') pairs.push(`le="${le}"`);
    const within = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
    this.#text += `${this.#name}${suffix}${within} ${value}\n`;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => ESCAPES[character] as string);
}
