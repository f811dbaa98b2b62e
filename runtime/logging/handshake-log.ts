/**
 * Logs TLS handshakes that were ended to make room for others, and connections that waited for a handshake: signs of an attack, or of
 * `limits.handshakes` being too small. Peers choose how often this happens, so there is at most one line per tick.
 */

import type { Handshakes } from '../tls/handshakes.ts';
import type { Log } from './log.ts';

export class HandshakeLog {
  readonly #log: Log;
  #gaveWay = 0;
  #lastAddress = '';

  constructor(log: Log) {
    this.#log = log;
  }

  /** A handshake of this address was ended to make room. */
  gaveWay(address: string): void {
    this.#gaveWay++;
    this.#lastAddress = address;
  }

  /** Called about once a second. */
  tick({ underWay, waiting }: Pick<Handshakes, 'underWay' | 'waiting'>): void {
    if (this.#gaveWay === 0) return;
    this.#log.warn(
      {
        option: 'limits.handshakes',
        ended: this.#gaveWay,
        peer: this.#lastAddress,
        unfinished: underWay,
        waiting,
      },
      'unfinished TLS handshakes were ended to make room for others',
    );
    this.#gaveWay = 0;
  }
}
