/**
 * The last stage of a connection that the server ends. If a socket is closed at once, it answers whatever the peer still
 * sends with a reset. A reset takes from the peer what it has received and not read, and from the server what the system
 * has not sent. So a connection is closed in stages, whatever its protocol (RFC 9112 section 9.6):
 *
 *   writing ─▶ reading ─▶ closed     writing: the server's side is closed; the system still takes what was written
 *                                    reading: the system has taken all; input is discarded until the peer closes its side
 *
 * In both stages input is discarded, up to a number of bytes; more is left to TCP's flow control. A peer that closes its
 * side has read everything, so the time limits only affect peers that are slow or gone. There are no timers per socket:
 * the server's tick checks them all.
 */
import type { Socket } from 'node:net';
import { readTo } from './socket-input.ts';

export interface LingerOptions {
  /** How long to wait for a peer that sends nothing. */
  readonly quietMs: number;
  /** How long to wait for any peer once the system has taken all output. */
  readonly timeoutMs: number;
  /** How long a peer may take nothing of the output that the system has not taken. */
  readonly writeTimeoutMs: number;
  /** Most bytes that are read from a peer. */
  readonly maxBytes: number;
}

interface Lingering {
  stage: 'writing' | 'reading';
  /** When the peer last took something, or when the stage began. */
  sinceMs: number;
  takenBytes: number;
  /** When the peer last sent something. */
  quietSinceMs: number;
  readBytes: number;
  countedBytes: number;
}

export class LingeringSockets {
  /** May be replaced; the new options also apply to sockets that linger. */
  options: LingerOptions;
  readonly #sockets = new Map<Socket, Lingering>();
  readonly #onEmpty: () => void;

  /** @param onEmpty called when the last socket has closed */
  constructor(options: LingerOptions, onEmpty: () => void) {
    this.options = options;
    this.#onEmpty = onEmpty;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Nothing more is written to the socket, and nothing else reads it. Its 'close' event marks the end. */
  add(socket: Socket, nowMs: number): void {
    if (socket.destroyed || this.#sockets.has(socket)) return;
    const lingering: Lingering = {
      stage: 'writing',
      sinceMs: nowMs,
      takenBytes: takenBytesOf(socket),
      quietSinceMs: nowMs,
      readBytes: 0,
      countedBytes: 0,
    };
    this.#sockets.set(socket, lingering);
    socket.once('close', () => this.#remove(socket));
    // The idle deadline does not apply to a connection that is ending.
    socket.setTimeout(0);
    readTo(socket, (chunk) => {
      lingering.readBytes += chunk.length;
      if (lingering.readBytes > this.options.maxBytes) socket.pause();
    });
    socket.end();
  }

  tick(nowMs: number): void {
    for (const [socket, lingering] of this.#sockets) {
      if (this.#isOver(socket, lingering, nowMs)) socket.destroy();
    }
  }

  #isOver(socket: Socket, lingering: Lingering, nowMs: number): boolean {
    const { quietMs, timeoutMs, writeTimeoutMs } = this.options;
    if (lingering.readBytes !== lingering.countedBytes) {
      lingering.countedBytes = lingering.readBytes;
      lingering.quietSinceMs = nowMs;
    }
    if (lingering.stage === 'reading') {
      return nowMs - lingering.sinceMs >= timeoutMs || nowMs - lingering.quietSinceMs >= quietMs;
    }
    const takenBytes = takenBytesOf(socket);
    if (socket.writableFinished || takenBytes !== lingering.takenBytes) {
      lingering.sinceMs = nowMs;
      lingering.takenBytes = takenBytes;
      if (!socket.writableFinished) return false;
      lingering.stage = 'reading';
      lingering.quietSinceMs = nowMs;
      return false;
    }
    return nowMs - lingering.sinceMs >= writeTimeoutMs;
  }

  #remove(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.#onEmpty();
  }
}

/** How much of the written output the system has taken. */
function takenBytesOf({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength;
}
