/**
 * The time in which this process ran, for waits that are not to count the time in which it was stopped (SIGSTOP, a frozen control group, a
 * machine that slept): nobody could have ended them then.
 *
 * Whoever has it looks at it at least once a second. Between two looks no more counts than a busy machine lets pass.
 */
export const MOST_BETWEEN_LOOKS_MS = 1_500;

export class RunningClock {
  /** As of the last look. */
  nowMs = 0;
  #lookedAtMs: number;

  /** @param monotonicMs the time now, by the clock that does not stop */
  constructor(monotonicMs: number) {
    this.#lookedAtMs = monotonicMs;
  }

  look(monotonicMs: number): void {
    this.nowMs += Math.min(monotonicMs - this.#lookedAtMs, MOST_BETWEEN_LOOKS_MS);
    this.#lookedAtMs = monotonicMs;
  }
}
