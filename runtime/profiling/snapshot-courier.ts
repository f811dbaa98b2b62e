/**
 * Passes a heap snapshot from the thread that makes it to the command. It requests the next piece when the
 * socket has taken the last one.
 */
import type { Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { EndReason, Frame } from './messages.ts';

export interface SnapshotOwner {
  /** Whether the profile may send this many more bytes; if not, it ends. */
  canSend(bytes: number): boolean;
  send(head: Frame, bytes?: Uint8Array): void;
  onDone(reason: EndReason): void;
}

/** The time between the end of a thread's port and the report of the thread's end. */
const NEWS_MS = 1_000;

export class SnapshotCourier {
  readonly #port: MessagePort;
  readonly #socket: Socket;
  readonly #owner: SnapshotOwner;
  readonly #startMs = performance.now();
  /** -1: more pieces follow. */
  #stoodStillMs = -1;
  #isOver = false;

  constructor(port: MessagePort, socket: Socket, owner: SnapshotOwner) {
    this.#port = port;
    this.#socket = socket;
    this.#owner = owner;
    port.on('message', (piece: Uint8Array | number) => this.#take(piece));
    port.on('close', () => this.#end());
  }

  #take(piece: Uint8Array | number): void {
    if (this.#isOver) return;
    if (typeof piece === 'number') {
      this.#stoodStillMs = piece;
      return;
    }
    if (!this.#owner.canSend(piece.length)) return;
    this.#owner.send({ type: 'snapshot' }, piece);
    const next = (): void => {
      if (!this.#isOver) this.#port.postMessage(0);
    };
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', next);
    else next();
  }

  /** The thread has sent everything, or has ended. */
  #end(): void {
    if (this.#isOver) return;
    if (this.#stoodStillMs === -1) {
      // The reason is reported in a moment.
      setTimeout(() => this.lose('it ended without a reason'), NEWS_MS);
      return;
    }
    this.#isOver = true;
    this.#owner.send({ type: 'snapshot-end', stoodStillMs: this.#stoodStillMs });
    this.#owner.onDone('time');
  }

  /** The thread has ended before its snapshot was complete. */
  lose(cause: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    this.#owner.send({
      type: 'problem',
      threadId: 0,
      what: `the thread ended ${seconds} s into its snapshot: ${cause}`,
    });
    this.#owner.onDone('asked');
  }

  /** The rest is no longer needed. */
  close(): void {
    this.#isOver = true;
    this.#port.close();
  }
}
