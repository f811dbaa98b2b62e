/** Turns that the test takes itself, with its own clock. */
import type { Turns } from '../../runtime/pools/thread.ts';

export class ManualTurns implements Turns {
  nowMs = 0;
  requested = 0;

  request(): void {
    this.requested++;
  }
}
