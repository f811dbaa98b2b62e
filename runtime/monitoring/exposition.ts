/**
 * Gives numbers that other parts of the server keep to the Prometheus client, which writes them when a scraper asks. The client counts nothing
 * itself: threads count in shared memory, so that one that computes can be read. docs/decisions/prometheus-client.md has the reasons.
 */
import { Registry } from '@prometheus-io/client';

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** By name, without the `le` label of a histogram's buckets. */
export type Labels = Readonly<Record<string, string>>;

/** Cumulative buckets in ascending order: how often something took at most so many seconds. */
export interface HistogramValue {
  readonly buckets: readonly (readonly [mostSeconds: number, count: number])[];
  readonly count: number;
  readonly sumSeconds: number;
}

/** As the client's registries report their metrics. */
interface FinishedMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** How the client joins equal labels. There are none. */
  readonly aggregator: 'first';
  readonly values: {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
  }[];
}

export class Exposition {
  readonly #metrics: FinishedMetric[] = [];
  #values: FinishedMetric['values'] = [];
  #name = '';

  /** Begins a metric. One that gets no values is left out. @param name ends in _total for a counter */
  metric(name: string, type: FinishedMetric['type'], help: string): this {
    this.#name = name;
    this.#values = [];
    this.#metrics.push({ name, type, help, aggregator: 'first', values: this.#values });
    return this;
  }

  value(value: number, labels: Labels = {}): this {
    this.#values.push({ labels, value });
    return this;
  }

  histogram({ buckets, count, sumSeconds }: HistogramValue, labels: Labels = {}): this {
    const metricName = `${this.#name}_bucket`;
    for (const [le, value] of buckets) this.#values.push({ metricName, labels: { ...labels, le }, value });
    this.#values.push(
      { metricName, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${this.#name}_sum`, labels, value: sumSeconds },
      { metricName: `${this.#name}_count`, labels, value: count },
    );
    return this;
  }

  text(): Promise<string> {
    return Registry.aggregate([this.#metrics.filter(({ values }) => values.length > 0)]).metrics();
  }
}
