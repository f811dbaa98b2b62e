/**
 * A timer that counts only the time in which this process ran. While the process was stopped (SIGSTOP, a
 * frozen control group, a machine that slept), its threads did not run either. A thread that was
 * loading has therefore not been slow, and a thread on trial has proven nothing.
 *
 * The time is divided into parts. If a part took far longer than it should have, the process was stopped
 * during it.
 */

const PARTS = 8;
const LONGEST_PART_MS = 1_000;
/** A part counts as at most twice its length, because timers come late where the reactor has much to do. */
const MOST_LATE = 2;

export interface Clock {
  now(): number;
  /** @returns cancels the timer */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class RunningTimer {
  readonly #run: () => void;
  readonly #clock: Clock;
  readonly #partMs: number;
  #leftMs: number;
  #startedMs = 0;
  #cancel: () => void = () => undefined;

  constructor(ms: number, run: () => void, clock: Clock = systemClock) {
    this.#run = run;
    this.#clock = clock;
    this.#leftMs = ms;
    this.#partMs = Math.min(ms / PARTS, LONGEST_PART_MS);
    this.#next();
  }

  #next(): void {
    this.#startedMs = this.#clock.now();
    this.#cancel = this.#clock.after(Math.min(this.#partMs, this.#leftMs), () => this.#partOver());
  }

  #partOver(): void {
    this.#leftMs -= Math.min(this.#clock.now() - this.#startedMs, MOST_LATE * this.#partMs);
    // Node's timers fire a fraction of a millisecond early at times.
    if (this.#leftMs < 1) this.#run();
    else this.#next();
  }

  /** Idempotent. Does nothing once the timer has fired. */
  cancel(): void {
    this.#cancel();
  }
}
