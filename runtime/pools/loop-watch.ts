/**
 * How long a thread has not returned to its event loop although something waits for it there.
 *
 * An awake thread takes turn after turn, and counts them (`Vitals.turn`), until it announces that it sleeps.
 * A sleeping thread with begun jobs may nevertheless compute, in a timer or after something that it awaited.
 * The same is true of a thread with calls of actors, which arrive over another channel. Such a thread is
 * therefore woken from time to time, and once awake it must take a turn. A thread that sends something makes
 * progress, even within one turn, in which it may answer many jobs.
 *
 * Time in which the reactor did not look does not count, because the whole process or the machine may have
 * been stopped.
 */
import { MOST_BETWEEN_LOOKS_MS } from './running-clock.ts';
import type { Thread } from './thread.ts';

const WAKE_EVERY_MS = 1_000;

export type WatchedThread = Pick<Thread, 'state' | 'outstanding' | 'hasOtherWork' | 'heardAtMs'> & {
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

  /** @param mostSilentMs the silence that its user wants to notice */
  constructor(thread: WatchedThread, mostSilentMs: number) {
    this.#thread = thread;
    this.#wakeEveryMs = Math.min(WAKE_EVERY_MS, mostSilentMs / 4);
  }

  /** @returns for how long the thread has been silent */
  look(nowMs: number): number {
    const { vitals, heardAtMs } = this.#thread;
    const { turn } = vitals;
    const sinceLookMs = Math.min(nowMs - this.#lookedAtMs, MOST_BETWEEN_LOOKS_MS);
    const hasMoved = turn !== this.#turn || heardAtMs !== this.#heardAtMs;
    this.#lookedAtMs = nowMs;
    this.#turn = turn;
    this.#heardAtMs = heardAtMs;
    if (hasMoved || this.#isAsleep(nowMs)) this.#silentMs = 0;
    // The first look has no look before it to measure from.
    else if (sinceLookMs > 0) this.#silentMs += sinceLookMs;
    return this.#silentMs;
  }

  #isAsleep(nowMs: number): boolean {
    const { channel, outstanding, state } = this.#thread;
    if (!channel.peerSleeps) return false;
    const mayCompute = outstanding > 0 || state === 'draining' || this.#thread.hasOtherWork;
    if (mayCompute && nowMs - this.#wokenAtMs >= this.#wakeEveryMs) {
      this.#wokenAtMs = nowMs;
      channel.wakePeer();
    }
    return true;
  }

  /** The silence so far does not count, because the thread was stopped for a reason outside of its code. */
  excuse(): void {
    this.#silentMs = 0;
  }
}
