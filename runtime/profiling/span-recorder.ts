/**
 * Records exchanges while a profile runs, with bounded memory. When the table is full, every other exchange
 * is dropped, and from then on only every other one is recorded. So the recorded exchanges are spread evenly
 * over the whole profile.
 */
import { microsecondsBetween } from '../../wire/clock.ts';
import { JobSpan, type SpanRecorder } from '../pools/span.ts';
import type { ExchangeRow, ExchangeTable } from './messages.ts';

/** The most characters of a method and path, which a peer chooses. */
const MAX_LABEL_CHARACTERS = 200;

export interface SpanClock {
  /** Milliseconds, as `performance.now`. */
  nowMs(): number;
  /** Added to those, in microseconds, gives the process's monotonic clock. */
  readonly toMonotonicUs: number;
  /** The current `clockMicroseconds`. */
  wireUs(): number;
}

export class ExchangeRecorder {
  readonly #maxSpans: number;
  readonly #clock: SpanClock;
  #spans: JobSpan[] = [];
  #oneOf = 1;
  #seen = 0;

  constructor(maxSpans: number, clock: SpanClock) {
    this.#maxSpans = maxSpans;
    this.#clock = clock;
  }

  forPool(pool: string): SpanRecorder {
    return { begin: (label) => this.#begin(label, pool) };
  }

  #begin(label: string, pool: string): JobSpan | null {
    if (this.#seen++ % this.#oneOf !== 0) return null;
    if (this.#spans.length >= this.#maxSpans) {
      this.#spans = this.#spans.filter((_span, index) => index % 2 === 0);
      this.#oneOf *= 2;
    }
    const span = new JobSpan(label.slice(0, MAX_LABEL_CHARACTERS), pool, this.#clock.nowMs());
    this.#spans.push(span);
    return span;
  }

  /** What has been recorded so far. */
  table(): ExchangeTable {
    const labels = new Names();
    const pools = new Names();
    const threads = new Names();
    const nowMs = this.#clock.nowMs();
    const nowUs = this.#clock.wireUs();
    const us = (ms: number): number =>
      Number.isNaN(ms) ? -1 : Math.round(ms * 1_000) + this.#clock.toMonotonicUs;
    const begunUs = ({ begunAtUs }: JobSpan): number =>
      begunAtUs === -1 ? -1 : us(nowMs) - microsecondsBetween(begunAtUs, nowUs);
    const rows = this.#spans.map((span): ExchangeRow => {
      span.close();
      const stalls = span.stalls.map((value, index) => (index % 3 === 0 ? value : us(value)));
      return [
        labels.numberOf(span.label),
        pools.numberOf(span.pool),
        threads.numberOf(span.thread),
        us(span.submittedMs),
        us(span.assignedMs),
        begunUs(span),
        us(span.firstByteMs),
        us(span.releasedMs),
        us(span.endedMs),
        span.recalls,
        span.isRefused ? 1 : 0,
        ...stalls,
      ];
    });
    return { oneOf: this.#oneOf, labels: labels.all, pools: pools.all, threads: threads.all, rows };
  }
}

class Names {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.all.length);
    return this.all.push(name) - 1;
  }
}
