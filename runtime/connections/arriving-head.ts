/**
 * Since when the head that a connection is reading has been arriving. A head that arrives whole in one read
 * is never looked at.
 */
import { clockMicroseconds } from '../../wire/clock.ts';

export class ArrivingHead {
  /** A signed 32-bit integer, which V8 stores without an object. 0: no head is arriving. */
  #sinceUs = 0;

  /**
   * Called after each read of the socket.
   * @param isWithinHead a head has begun and is incomplete
   */
  look(isWithinHead: boolean, nowMs: number): void {
    if (!isWithinHead) this.#sinceUs = 0;
    else if (this.#sinceUs === 0) this.#sinceUs = clockMicroseconds(nowMs) | 1;
  }

  /**
   * A head is complete.
   * @returns when its first octets arrived, as `clockMicroseconds`; 0: together with the last ones
   */
  take(): number {
    const sinceUs = this.#sinceUs;
    this.#sinceUs = 0;
    return sinceUs;
  }
}
