/**
 * The reactor's end of what it and a thread say to each other apart from the data path: Comlink over a port of its own.
 *
 * Comlink keeps in a registry what is behind every proxy until the proxy is collected, and the proxy is held by what is behind
 * it: whoever does not release it keeps the thread's rings for ever.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expose, type Remote, releaseProxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { ThreadControl, ThreadReports } from '../../wire/control.ts';

export class ControlLink {
  readonly control: Remote<ThreadControl>;
  /** For the thread: to be transferred. */
  readonly threadPort: MessagePort;
  readonly #port: MessagePort;

  /** @param onGone the thread has closed its end, or closes down; also after `close` */
  constructor(reports: ThreadReports, onGone: () => void) {
    const { port1, port2 } = new MessageChannel();
    const endpoint = nodeEndpoint(port1);
    this.#port = port1;
    this.threadPort = port2;
    this.control = wrap<ThreadControl>(endpoint);
    expose(reports, endpoint);
    port1.once('close', onGone);
  }

  /** Asks the thread to end by itself, which needs no answer: `close` may follow. */
  leave(): void {
    // It may end before it answers.
    Promise.resolve(this.control.leave()).catch(() => undefined);
  }

  /** The thread is gone: nothing of it is kept. `control` throws from now on, and its calls that were not answered never are. */
  close(): void {
    this.control[releaseProxy]();
    this.#port.close();
  }
}
