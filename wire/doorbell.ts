/**
 * A doorbell wakes a thread that sleeps in its event loop. It rings at most once per sleep. It carries no
 * data and costs one post and one turn of the loop.
 *
 * It is a MessagePort and not Atomics.waitAsync. Both take about as long, and only a port can keep an event
 * loop alive (`ref`) or let it end (`unref`).
 */

import type { MessagePort } from 'node:worker_threads';

export interface Doorbell {
  ring(): void;
  /** Keep the event loop alive, or let it end. */
  ref(): void;
  unref(): void;
  close(): void;
}

export class PortDoorbell implements Doorbell {
  readonly #port: MessagePort;

  /** @param onRing called in a turn of the event loop of its own, each time the other side has rung */
  constructor(port: MessagePort, onRing: () => void) {
    this.#port = port;
    port.on('message', onRing);
  }

  ring(): void {
    this.#port.postMessage(null);
  }

  ref(): void {
    this.#port.ref();
  }

  unref(): void {
    this.#port.unref();
  }

  close(): void {
    this.#port.close();
  }
}
