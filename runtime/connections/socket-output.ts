/**
 * Writes an engine's output into a socket: one write per turn, and buffers return to their pool as soon as
 * possible.
 */
import type { Socket } from 'node:net';
import type { OutputBuffers, OutputChunk } from '../bytes/output-buffers.ts';

const NO_BYTES = Buffer.alloc(0);

/** An engine, as far as its output is concerned. */
export interface OutputSource {
  /** @param onlyFull return only a chunk that has no room for more output */
  takeOutput(onlyFull: boolean): OutputChunk | null;
  readonly hasFullOutput: boolean;
  /** The socket has taken this many bytes. */
  sent(bytes: number): void;
}

export class SocketOutput {
  readonly #socket: Socket;
  readonly #source: OutputSource;
  readonly #buffers: OutputBuffers;
  /** Chunks that the socket was given and has not taken, oldest first: its callbacks come in that order. */
  readonly #writing: OutputChunk[] = [];
  #writingBytes = 0;
  #takenBytes = 0;
  /** TLS takes nothing at once, and has no empty writes. */
  readonly #isTls: boolean;
  /** An empty write follows what the socket was given. */
  #isAwaiting = false;
  readonly #onWritten: () => void;

  /** @param onTaken the socket has taken output, some time after it was given the output */
  constructor(socket: Socket, source: OutputSource, buffers: OutputBuffers, onTaken: () => void) {
    this.#socket = socket;
    this.#source = source;
    this.#buffers = buffers;
    this.#isTls = 'encrypted' in socket;
    this.#onWritten = () => {
      this.#isAwaiting = false;
      this.#releaseTaken();
      if (!this.#isTls) this.#await();
      onTaken();
    };
  }

  /** Output that the socket was given and has not taken. */
  get writingBytes(): number {
    return this.#writingBytes;
  }

  /** Output that the socket has taken. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  send(onlyFull: boolean): void {
    const source = this.#source;
    const socket = this.#socket;
    for (;;) {
      let chunk = source.takeOutput(onlyFull);
      if (chunk === null) return;
      const corked = source.hasFullOutput;
      if (corked) socket.cork();
      for (; chunk !== null; chunk = source.takeOutput(onlyFull)) {
        this.#writing.push(chunk);
        this.#writingBytes += chunk.length;
        if (this.#isTls) socket.write(chunk.filled, this.#onWritten);
        else socket.write(chunk.filled);
        if (!corked) break;
      }
      if (corked) socket.uncork();
      this.#releaseTaken();
      if (!this.#isTls) this.#await();
    }
  }

  /**
   * Asks to be told when the socket has taken what it could not take at once, which is rare. A callback for
   * each write would cost a tick and its objects each time. An empty write comes after everything that the
   * socket was given.
   */
  #await(): void {
    if (this.#writing.length === 0 || this.#isAwaiting) return;
    this.#isAwaiting = true;
    this.#socket.write(NO_BYTES, this.#onWritten);
  }

  /** The socket is gone. */
  release(): void {
    for (const chunk of this.#writing) this.#buffers.release(chunk);
    this.#writing.length = 0;
  }

  /**
   * Takes back the chunks that the socket has finished with. TCP has mostly taken a chunk when `write`
   * returns, while its callback comes a tick later. The length of what waits shows this at once, so the same
   * buffer serves for the next chunk while it is in the cache.
   */
  #releaseTaken(): void {
    const waitingBytes = this.#socket.writableLength;
    for (;;) {
      const chunk = this.#writing[0];
      // There may be no chunk, also because the connection was closed in the meantime and its chunks went
      // back then.
      if (chunk === undefined || this.#writingBytes - chunk.length < waitingBytes) return;
      this.#writing.shift();
      this.#writingBytes -= chunk.length;
      this.#takenBytes += chunk.length;
      this.#source.sent(chunk.length);
      this.#buffers.release(chunk);
    }
  }
}
