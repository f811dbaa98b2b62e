/** Since when the head that a connection is reading has been arriving. A head that one read brings whole is never looked at. */
import { clockMicroseconds } from '../../wire/clock.ts';

export class ArrivingHead {
  /** In 32 bits with a sign, which V8 keeps without an object. 0: no head is arriving. */
  #sinceUs = 0;

  /** After each read of the socket. @param isWithinHead a head has begun and is not whole */
  look(isWithinHead: boolean, nowMs: number): void {
    if (!isWithinHead) this.#sinceUs = 0;
    else if (this.#sinceUs === 0) this.#sinceUs = clockMicroseconds(nowMs) | 1;
  }

  /** A head is whole. @returns when its first octets came, as `clockMicroseconds`; 0: with the last ones */
  take(): number {
    const sinceUs = this.#sinceUs;
    this.#sinceUs = 0;
    return sinceUs;
  }
}
