/**
 * Limits the share of the reactor's time that handlers take. After a burst, the next request waits until the share
 * is kept. A client that sends expensive requests as fast as they are answered therefore slows only other such
 * requests.
 */

/** Of the reactor's time. */
const MOST_BUSY_PERCENT = 10;
/** What handlers may take at once. */
const BUSY_BURST_MS = 50;

export class BusyTime {
  /** What was taken and is not made up for yet. */
  #owedMs = 0;
  #atMs = 0;

  spend(ms: number, nowMs: number): void {
    this.#makeUp(nowMs);
    this.#owedMs += ms;
  }

  /** How long the next request has to wait; 0: it may run now. */
  waitMs(nowMs: number): number {
    this.#makeUp(nowMs);
    return Math.ceil((Math.max(0, this.#owedMs - BUSY_BURST_MS) * 100) / MOST_BUSY_PERCENT);
  }

  #makeUp(nowMs: number): void {
    this.#owedMs = Math.max(0, this.#owedMs - ((nowMs - this.#atMs) * MOST_BUSY_PERCENT) / 100);
    this.#atMs = nowMs;
  }
}
