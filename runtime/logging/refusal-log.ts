/**
 * Logs requests that a pool has refused with 503, because its queue was full or it had no thread. Clients choose how often that happens, so
 * there is at most one line per pool in `intervalMs`, with counts.
 */

import type { OutcomeCounters } from '../exchange/outcomes.ts';
import type { Log } from './log.ts';

type Counts = Pick<OutcomeCounters, 'queueFull' | 'waitedTooLong' | 'noThread'>;

interface Told extends Counts {
  readonly atMs: number;
}

const NOTHING: Told = { atMs: Number.NEGATIVE_INFINITY, queueFull: 0, waitedTooLong: 0, noThread: 0 };

export class RefusalLog {
  readonly #log: Log;
  readonly #intervalMs: number;
  /** By pool. */
  readonly #told = new Map<string, Told>();

  constructor(log: Log, intervalMs = 10_000) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /** Called about once a second. @param outcomes by pool, of all its exchanges */
  tick(nowMs: number, outcomes: ReadonlyMap<string, Counts>): void {
    for (const pool of this.#told.keys()) if (!outcomes.has(pool)) this.#told.delete(pool);
    for (const [pool, counts] of outcomes) this.#look(pool, counts, nowMs);
  }

  #look(pool: string, counts: Counts, nowMs: number): void {
    const told = this.#told.get(pool) ?? NOTHING;
    const queueFull = counts.queueFull - told.queueFull;
    const waitedTooLong = counts.waitedTooLong - told.waitedTooLong;
    const noThread = counts.noThread - told.noThread;
    const refused = queueFull + waitedTooLong + noThread;
    if (refused === 0 || nowMs - told.atMs < this.#intervalMs) return;
    this.#told.set(pool, {
      atMs: nowMs,
      queueFull: counts.queueFull,
      waitedTooLong: counts.waitedTooLong,
      noThread: counts.noThread,
    });
    this.#log.warn(
      {
        pool,
        refused,
        ...(queueFull > 0 && { queueFull, option: `pools.${pool}.queue.maxExchanges` }),
        ...(waitedTooLong > 0 && { waitedTooLong, option: `pools.${pool}.queue.maxWaitMs` }),
        ...(noThread > 0 && { noThread }),
      },
      'requests were refused with 503: the pool could not run them in time',
    );
  }
}
