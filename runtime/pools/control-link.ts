/**
 * The reactor's end of the control link to a thread, which is apart from the data path: Comlink over a port
 * of its own.
 *
 * Comlink keeps the target of a proxy in a registry until the proxy is collected, and the target holds the
 * proxy. An owner that does not release the proxy therefore keeps the thread's rings in memory for ever.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expose, type Remote, releaseProxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { ThreadControl, ThreadReports } from '../../wire/control.ts';

export class ControlLink {
  readonly control: Remote<ThreadControl>;
  /** The thread's end of the link, to be transferred to it. */
  readonly threadPort: MessagePort;
  readonly #port: MessagePort;

  /** @param onGone called when the thread has closed its end or is closing down; also called after `close` */
  constructor(reports: ThreadReports, onGone: () => void) {
    const { port1, port2 } = new MessageChannel();
    const endpoint = nodeEndpoint(port1);
    this.#port = port1;
    this.threadPort = port2;
    this.control = wrap<ThreadControl>(endpoint);
    expose(reports, endpoint);
    port1.once('close', onGone);
  }

  /** Asks the thread to end by itself. No reply is expected, so `close` may follow. */
  leave(): void {
    // The thread may end before it replies.
    Promise.resolve(this.control.leave()).catch(() => undefined);
  }

  /**
   * The thread is gone: everything about it is released. From now on `control` throws, and its open calls
   * never settle.
   */
  close(): void {
    this.control[releaseProxy]();
    this.#port.close();
  }
}
