/**
 * Charges a peer whose windows hold the server's data back: seconds of the budget `stalledStreamSeconds`, for
 * each stream.
 */
import type { AbuseBudgets } from './budgets.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { SendScheduler } from './scheduler.ts';
import { type Http2Stream, SendWaiting } from './stream.ts';
import type { Streams } from './streams.ts';

/**
 * A stream that takes this many bytes per second is slow and not stalled; the default of
 * `limits.responseRate`.
 */
const leastBytesPerSecond = 240;

export class SendStalls {
  readonly #scheduler: SendScheduler;
  readonly #lifecycle: Lifecycle;
  readonly #budgets: AbuseBudgets;

  constructor(scheduler: SendScheduler, lifecycle: Lifecycle, budgets: AbuseBudgets) {
    this.#scheduler = scheduler;
    this.#lifecycle = lifecycle;
    this.#budgets = budgets;
  }

  /**
   * Charges streams whose data the peer's windows hold back, for this many seconds. What a stream takes later
   * pays back the time that it has waited.
   * @param isShut whether the connection's window is shut
   */
  charge(streams: Streams, isShut: boolean, seconds: number): void {
    let stalled = this.#scheduler.stalledCount;
    if (isShut) stalled += this.#scheduler.readyCount;
    if (stalled === 0 || seconds === 0) return;
    for (const stream of streams.values()) {
      if (stream.waiting === SendWaiting.Window || (isShut && stream.waiting === SendWaiting.Turn)) {
        stream.stalledSeconds += seconds;
      }
    }
    this.#lifecycle.spend('stalledStreamSeconds', stalled * seconds);
  }

  /** The stream has taken this many bytes. */
  forgive(stream: Http2Stream, bytes: number): void {
    const seconds = Math.min(stream.stalledSeconds, bytes / leastBytesPerSecond);
    stream.stalledSeconds -= seconds;
    this.#budgets.giveBack('stalledStreamSeconds', seconds);
  }
}
