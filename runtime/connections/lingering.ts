/**
 * The last stage of a connection that the server ends. Closed at once, a socket answers whatever the peer still sends with a reset, and a
 * reset takes from the peer what it has received and not read yet, and from us what the system has not sent. So a connection is closed
 * in stages, whatever it spoke (RFC 9112 section 9.6):
 *
 *   writing ─▶ reading ─▶ closed     writing: our side is closed behind what has been written, which the system takes by and by
 *                                    reading: it has taken all; what still comes is thrown away until the peer closes its side
 *
 * In both stages what comes is thrown away, up to a count of bytes; more is left to TCP's flow control. A peer that closes its side has read
 * everything, so the time limits meet those that are slow, or gone. Nobody has a timer: the server's tick looks at all.
 */
import type { Socket } from 'node:net';
import { readTo } from './socket-input.ts';

export interface LingerOptions {
  /** A peer that sends nothing for this long is waited for no longer. */
  readonly quietMs: number;
  /** No peer is waited for longer than this once the system has taken all. */
  readonly timeoutMs: number;
  /** How long a peer may take nothing of what has been written and the system has not taken. */
  readonly writeTimeoutMs: number;
  /** What is read of a peer. */
  readonly maxBytes: number;
}

interface Lingering {
  stage: 'writing' | 'reading';
  /** Since the peer took something last, or since the stage began. */
  sinceMs: number;
  takenBytes: number;
  /** Since the peer sent something last. */
  quietSinceMs: number;
  readBytes: number;
  countedBytes: number;
}

export class LingeringSockets {
  /** May be replaced: sockets that linger are held to the new ones. */
  options: LingerOptions;
  readonly #sockets = new Map<Socket, Lingering>();
  readonly #onEmpty: () => void;

  /** @param onEmpty the last one has closed */
  constructor(options: LingerOptions, onEmpty: () => void) {
    this.options = options;
    this.#onEmpty = onEmpty;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Nothing more is written to the socket, and nobody else reads it. Its 'close' says that the end has come. */
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
    // The deadline of an idle connection is not that of one that ends.
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

/** Of what has been written, what the system has taken. */
function takenBytesOf({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength;
}
