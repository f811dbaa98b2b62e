/**
 * For how long a thread has not come back to its event loop, though something waits for it there.
 *
 * A thread that is awake begins turn after turn, and says when (`Vitals.turn`), until it announces that it sleeps. One that sleeps while
 * it has begun jobs may compute all the same, in a timer or behind something else that it awaited: it is woken every so often, and
 * awake again it has to turn. A thread that says something makes progress, be it within one turn: it may answer many jobs there.
 *
 * Time in which this thread did not look does not count: the whole process may have been stopped, or the machine.
 */
import { MOST_BETWEEN_LOOKS_MS } from './running-clock.ts';
import type { Thread } from './thread.ts';

const WAKE_EVERY_MS = 1_000;

export type WatchedThread = Pick<Thread, 'state' | 'outstanding' | 'heardAtMs'> & {
  readonly vitals: Pick<Thread['vitals'], 'turn'>;
  readonly channel: Pick<Thread['channel'], 'peerSleeps' | 'wakePeer'>;
};

export class LoopWatch {
  readonly #thread: WatchedThread;
  readonly #wakeEveryMs: number;
  #turn = 0;
  #heardAtMs = 0;
  #lookedAtMs = Number.NaN;
  #wokenAtMs = Number.NEGATIVE_INFINITY;
  #silentMs = 0;

  /** @param mostSilentMs what matters to whoever looks */
  constructor(thread: WatchedThread, mostSilentMs: number) {
    this.#thread = thread;
    this.#wakeEveryMs = Math.min(WAKE_EVERY_MS, mostSilentMs / 4);
  }

  /** @returns for how long it has been silent */
  look(nowMs: number): number {
    const { vitals, heardAtMs } = this.#thread;
    const { turn } = vitals;
    const sinceLookMs = Math.min(nowMs - this.#lookedAtMs, MOST_BETWEEN_LOOKS_MS);
    const hasMoved = turn !== this.#turn || heardAtMs !== this.#heardAtMs;
    this.#lookedAtMs = nowMs;
    this.#turn = turn;
    this.#heardAtMs = heardAtMs;
    if (hasMoved || this.#isAsleep(nowMs)) this.#silentMs = 0;
    // The first look has none before it.
    else if (sinceLookMs > 0) this.#silentMs += sinceLookMs;
    return this.#silentMs;
  }

  #isAsleep(nowMs: number): boolean {
    const { channel, outstanding, state } = this.#thread;
    if (!channel.peerSleeps) return false;
    const mayCompute = outstanding > 0 || state === 'draining';
    if (mayCompute && nowMs - this.#wokenAtMs >= this.#wakeEveryMs) {
      this.#wokenAtMs = nowMs;
      channel.wakePeer();
    }
    return true;
  }

  /** What was does not count: the thread stood still for a reason that is no fault of its. */
  excuse(): void {
    this.#silentMs = 0;
  }
}
