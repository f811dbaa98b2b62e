/** Turns that the test takes itself, with its own clock. */
import type { Turns } from '../../runtime/pools/turns.ts';

export class ManualTurns implements Turns {
  nowMs = 0;
  /** Of which the process was stopped for so long. */
  stoppedMs = 0;
  requested = 0;

  get runningMs(): number {
    return this.nowMs - this.stoppedMs;
  }

  request(): void {
    this.requested++;
  }
}
