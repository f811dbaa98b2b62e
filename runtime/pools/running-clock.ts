/**
 * The time in which this process ran. Waits that use it do not count the time in which the process was
 * stopped (SIGSTOP, a frozen control group, a machine that slept), because nobody could have ended them then.
 *
 * Its owner looks at it at least once a second. Between two looks, no more time counts than a busy machine
 * lets pass.
 */
export const MOST_BETWEEN_LOOKS_MS = 1_500;

export class RunningClock {
  /** As of the last look. */
  nowMs = 0;
  #lookedAtMs: number;

  /** @param monotonicMs the time now, on a clock that does not stop */
  constructor(monotonicMs: number) {
    this.#lookedAtMs = monotonicMs;
  }

  look(monotonicMs: number): void {
    this.nowMs += Math.min(monotonicMs - this.#lookedAtMs, MOST_BETWEEN_LOOKS_MS);
    this.#lookedAtMs = monotonicMs;
  }
}
