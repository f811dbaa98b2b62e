/**
 * A doorbell wakes a thread that sleeps in its event loop. Rung at most once per sleep, so what it carries is
 * nothing and what it costs is a post and a turn of the loop.
 *
 * A MessagePort rather than Atomics.waitAsync: both take about as long, and only a port can keep an event loop alive
 * (`ref`) or let it go (`unref`).
 */

import type { MessagePort } from 'node:worker_threads';

export interface Doorbell {
  ring(): void;
  /** Keep the event loop alive, or not. */
  ref(): void;
  unref(): void;
  close(): void;
}

export class PortDoorbell implements Doorbell {
  readonly #port: MessagePort;

  /** @param onRing called in a turn of its own each time the other side rang */
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
