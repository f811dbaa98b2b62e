/**
 * A timer that counts the time in which this process ran. While it was stopped (SIGSTOP, a frozen control group, a machine that slept) its
 * threads did not run either: one that loads has not been slow, and one that is to prove itself has proven nothing.
 *
 * It looks in parts of the time. A part that took far longer than it should have is one in which the process stood still.
 */

const PARTS = 8;
const LONGEST_PART_MS = 1_000;
/** A part counts as twice its length at most: timers come late where the reactor has much to do. */
const MOST_LATE = 2;

export interface Clock {
  now(): number;
  /** @returns what cancels it */
  after(ms: number, run: () => void): () => void;
}

const systemClock: Clock = {
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
    // Node's timers are a fraction of a millisecond early at times.
    if (this.#leftMs < 1) this.#run();
    else this.#next();
  }

  /** Idempotent, and nothing once it has run. */
  cancel(): void {
    this.#cancel();
  }
}
