/**
 * What the log says of TLS handshakes that made room for others, and of connections that waited for theirs: an attack, or a crowd that
 * `limits.handshakes` is too small for. One line for each tick in which there was anything to tell, as peers choose how often it happens.
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

  /** A handshake of this address has made room. */
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
