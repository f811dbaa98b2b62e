/**
 * How long responses took from their thread's last word until their connections had sent them, by pool: what slow peers and the network
 * cost, apart from the application. An exchange whose peer left before has none.
 */
import { Outcome } from '../exchange/outcomes.ts';
import { Histogram } from '../pools/histogram.ts';

const MOST_US = 2 ** 32 - 1;

export class TransportTimes {
  readonly #pools = new Map<string, Histogram>();

  /** Only these pools are told of from now on. */
  keepOnly(pools: ReadonlySet<string>): void {
    for (const pool of this.#pools.keys()) if (!pools.has(pool)) this.#pools.delete(pool);
  }

  /** What is recorded to, for all exchanges of the pool. */
  of(pool: string): Histogram {
    const histogram = this.#pools.get(pool) ?? new Histogram();
    this.#pools.set(pool, histogram);
    return histogram;
  }

  [Symbol.iterator](): IterableIterator<[pool: string, histogram: Histogram]> {
    return this.#pools.entries();
  }
}

/** @param releasedAtMs 0: its connection had all of it before its thread had said its last word */
export function recordTransport(to: Histogram, outcome: Outcome, releasedAtMs: number, nowMs: number): void {
  if (releasedAtMs > 0) to.record(Math.min(MOST_US, Math.max(0, nowMs - releasedAtMs) * 1_000) >>> 0);
  else if (outcome === Outcome.Complete) to.record(0);
}
