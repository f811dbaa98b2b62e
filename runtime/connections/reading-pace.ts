/** How fast a peer takes its connection's output (see `Deadlines`). */
import type { Deadlines } from '../deadlines/deadlines.ts';
import { isSlow } from '../deadlines/rate.ts';

export class ReadingPace {
  /**
   * How long output has waited for the peer since its rate was last checked, and how much the peer had taken
   * by then. -1: never.
   */
  #waitedMs = -1;
  #markBytes = 0;

  /**
   * Called once per tick.
   * @param isWaiting output waits for the peer and for nobody else
   */
  isTooSlow(isWaiting: boolean, takenBytes: number, { options, stepMs }: Deadlines): boolean {
    const { bytesPerSecond, windowMs } = options.responseRate;
    if (!isWaiting || bytesPerSecond === 0) return false;
    if (this.#waitedMs === -1) {
      this.#waitedMs = 0;
      this.#markBytes = takenBytes;
      return false;
    }
    this.#waitedMs += stepMs;
    if (this.#waitedMs < windowMs) return false;
    const slow = isSlow(takenBytes - this.#markBytes, this.#waitedMs, bytesPerSecond);
    this.#waitedMs = 0;
    this.#markBytes = takenBytes;
    return slow;
  }
}
