/**
 * The time in which this process ran. Waits that use it do not count the time in which the process was
 * stopped (SIGSTOP, a frozen control group, a machine that slept), because the process could not
 * have ended them then.
 *
 * Its owner reads the time at least once a second. Between two readings, no more time counts than may pass on
 * a busy machine.
 */
export const MOST_BETWEEN_LOOKS_MS = 1_500;

export class RunningClock {
  /** As of the last reading. */
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
