/**
 * Transport times by pool: from the thread's last message of a response until the connection has sent it. They show what slow peers and
 * the network cost, apart from the application. An exchange whose peer left before that is not recorded.
 */
import { Outcome } from '../exchange/outcomes.ts';
import { Histogram } from '../pools/histogram.ts';

const MOST_US = 2 ** 32 - 1;

export class TransportTimes {
  readonly #pools = new Map<string, Histogram>();

  /** Drops the times of all other pools. */
  keepOnly(pools: ReadonlySet<string>): void {
    for (const pool of this.#pools.keys()) if (!pools.has(pool)) this.#pools.delete(pool);
  }

  /** The histogram for all exchanges of the pool. */
  of(pool: string): Histogram {
    const histogram = this.#pools.get(pool) ?? new Histogram();
    this.#pools.set(pool, histogram);
    return histogram;
  }

  [Symbol.iterator](): IterableIterator<[pool: string, histogram: Histogram]> {
    return this.#pools.entries();
  }
}

/** @param releasedAtMs when the thread sent its last message; 0: the connection had sent everything before that */
export function recordTransport(to: Histogram, outcome: Outcome, releasedAtMs: number, nowMs: number): void {
  if (releasedAtMs > 0) to.record(Math.min(MOST_US, Math.max(0, nowMs - releasedAtMs) * 1_000) >>> 0);
  else if (outcome === Outcome.Complete) to.record(0);
}
