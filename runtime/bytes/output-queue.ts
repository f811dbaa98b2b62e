/**
 * What an engine has to say, in buffers. All that one turn produces lies one after another in one buffer and leaves in one
 * write; a second buffer is begun only when the first is full.
 *
 * While the socket still has some of our output, only full buffers are handed over and the last one keeps filling: so a peer
 * that does not read makes us hold what we said, not a buffer for every word of it.
 *
 * The first buffer is a small one; what turns out more moves to a large one and goes on there.
 */
import { copyBytes, type OutputBuffers, type OutputChunk } from './output-buffers.ts';

/** Content for which nothing is begun at the end of a buffer. */
const LEAST_ROOM_BYTES = 1024;

export class OutputQueue {
  readonly #buffers: OutputBuffers;
  /** What stands around a piece of content. */
  readonly #framingBytes: number;
  #current: OutputChunk | null = null;
  #filledHead: OutputChunk | null = null;
  #filledTail: OutputChunk | null = null;
  /** Bytes written here that the socket has not taken. */
  unsentBytes = 0;
  /** The part of them that has been handed over. */
  #inFlightBytes = 0;

  constructor(buffers: OutputBuffers, framingBytes: number) {
    this.#buffers = buffers;
    this.#framingBytes = framingBytes;
  }

  /** Whether `take` has something. @param isLast as there */
  hasOutput(isLast: boolean): boolean {
    return this.hasFullOutput || (this.#current !== null && (isLast || this.#inFlightBytes === 0));
  }

  /** The socket has not taken all that it was given. */
  get isBehind(): boolean {
    return this.#inFlightBytes > 0;
  }

  /** Whether there is a buffer that waiting would not make fuller. */
  get hasFullOutput(): boolean {
    return (
      this.#filledHead !== null || (this.#current !== null && this.#roomIn(this.#current) < LEAST_ROOM_BYTES)
    );
  }

  /**
   * @param onlyFull leaves the buffer that still has room, as while an earlier one is with the socket
   * @param isLast nothing more is written, so that there is nothing to wait for
   */
  take(onlyFull: boolean, isLast: boolean): OutputChunk | null {
    let chunk = this.#filledHead;
    if (chunk !== null) {
      this.#filledHead = chunk.next;
      if (this.#filledHead === null) this.#filledTail = null;
      chunk.next = null;
    } else {
      chunk = this.#current;
      if (chunk === null) return null;
      const isKept = onlyFull || (this.#inFlightBytes > 0 && !isLast);
      if (isKept && this.#roomIn(chunk) >= LEAST_ROOM_BYTES) return null;
      this.#current = null;
    }
    this.#inFlightBytes += chunk.length;
    return chunk;
  }

  sent(bytes: number): void {
    this.#inFlightBytes -= bytes;
    this.unsentBytes -= bytes;
  }

  /** The socket is gone: buffers that were not handed over go back to the pool. */
  discard(): void {
    for (let chunk = this.#filledHead; chunk !== null; ) {
      const next: OutputChunk | null = chunk.next;
      this.#buffers.release(chunk);
      chunk = next;
    }
    this.#filledHead = null;
    this.#filledTail = null;
    if (this.#current !== null) this.#buffers.release(this.#current);
    this.#current = null;
    this.unsentBytes = this.#inFlightBytes;
  }

  /** The chunk to write in, with that much room behind `length`. What was written is told by `commit`. */
  reserve(bytes: number): OutputChunk {
    const current = this.#current;
    if (current === null) {
      const first = this.#buffers.acquireSmall(bytes);
      this.#current = first;
      return first;
    }
    if (current.buffer.length - current.length >= bytes) return current;
    if (this.#buffers.isSmall(current) && current.length + bytes <= this.#buffers.chunkBytes) {
      const chunk = this.#buffers.acquire(0);
      copyBytes(chunk.buffer, 0, current.buffer, 0, current.length);
      chunk.length = current.length;
      this.#buffers.release(current);
      this.#current = chunk;
      return chunk;
    }
    if (this.#filledTail === null) this.#filledHead = current;
    else this.#filledTail.next = current;
    this.#filledTail = current;
    const chunk = this.#buffers.acquire(bytes);
    this.#current = chunk;
    return chunk;
  }

  commit(chunk: OutputChunk, bytes: number): void {
    chunk.length += bytes;
    this.unsentBytes += bytes;
  }

  /** Room for content in the buffer begun, framing not counted; a fresh buffer's when little is left. */
  get dataRoom(): number {
    const current = this.#current;
    const room = current === null ? 0 : this.#roomIn(current);
    return room >= LEAST_ROOM_BYTES ? room : this.#buffers.chunkBytes - this.#framingBytes;
  }

  /** Negative when there is no room for the framing. */
  #roomIn(chunk: OutputChunk): number {
    // What is in a small buffer moves when it needs more.
    const bytes = this.#buffers.isSmall(chunk) ? this.#buffers.chunkBytes : chunk.buffer.length;
    return bytes - chunk.length - this.#framingBytes;
  }
}
