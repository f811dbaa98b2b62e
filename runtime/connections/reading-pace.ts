/** How fast a peer takes what its connection has to say (see `Deadlines`). */
import type { Deadlines } from '../deadlines/deadlines.ts';
import { isSlow } from '../deadlines/rate.ts';

export class ReadingPace {
  /** How long output has waited for the peer since its rate was judged last, and what had been taken by then. -1: never. */
  #owedMs = -1;
  #markBytes = 0;

  /** Once a tick. @param isOwed something waits for the peer and for nobody else */
  isTooSlow(isOwed: boolean, takenBytes: number, { options, stepMs }: Deadlines): boolean {
    const { bytesPerSecond, windowMs } = options.responseRate;
    if (!isOwed || bytesPerSecond === 0) return false;
    if (this.#owedMs === -1) {
      this.#owedMs = 0;
      this.#markBytes = takenBytes;
      return false;
    }
    this.#owedMs += stepMs;
    if (this.#owedMs < windowMs) return false;
    const slow = isSlow(takenBytes - this.#markBytes, this.#owedMs, bytesPerSecond);
    this.#owedMs = 0;
    this.#markBytes = takenBytes;
    return slow;
  }
}
