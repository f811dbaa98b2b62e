/**
 * Limits the share of the reactor's time that handlers take. After a burst, the next request waits until the share
 * is kept. A client that sends expensive requests as fast as they are answered therefore slows only other such
 * requests.
 */

export interface BusyLimits {
  /** Of the reactor's time. */
  readonly busyPercent: number;
  /** What handlers may take at once. */
  readonly busyBurstMs: number;
}

export class BusyTime {
  readonly #limits: BusyLimits;
  /** What was taken and is not made up for yet. */
  #owedMs = 0;
  #atMs = 0;

  constructor(limits: BusyLimits) {
    this.#limits = limits;
  }

  spend(ms: number, nowMs: number): void {
    this.#makeUp(nowMs);
    this.#owedMs += ms;
  }

  /** How long the next request has to wait; 0: it may run now. */
  waitMs(nowMs: number): number {
    this.#makeUp(nowMs);
    const { busyPercent, busyBurstMs } = this.#limits;
    return Math.ceil((Math.max(0, this.#owedMs - busyBurstMs) * 100) / busyPercent);
  }

  #makeUp(nowMs: number): void {
    const { busyPercent } = this.#limits;
    this.#owedMs = Math.max(0, this.#owedMs - ((nowMs - this.#atMs) * busyPercent) / 100);
    this.#atMs = nowMs;
  }
}
