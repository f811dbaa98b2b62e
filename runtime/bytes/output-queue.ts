/**
 * An engine's output, in buffers. Everything that one turn produces lies in one buffer and leaves in one
 * write; a second buffer is begun only when the first is full.
 *
 * While the socket still has earlier output, only full buffers are passed on and the last one continues to
 * fill. So a peer that does not read makes the server hold what it wrote, not a buffer for every piece of it.
 *
 * The first buffer is a small one. Output that does not fit into it moves to a large one.
 */
import { copyBytes, type OutputBuffers, type OutputChunk } from './output-buffers.ts';

/** Content does not begin in a buffer with less room than this. */
const LEAST_ROOM_BYTES = 1024;

export class OutputQueue {
  readonly #buffers: OutputBuffers;
  /** The bytes of framing around a piece of content. */
  readonly #framingBytes: number;
  #current: OutputChunk | null = null;
  #filledHead: OutputChunk | null = null;
  #filledTail: OutputChunk | null = null;
  /** Bytes written here that the socket has not taken. */
  unsentBytes = 0;
  /** The part of them that has been passed on to the socket. */
  #inFlightBytes = 0;

  constructor(buffers: OutputBuffers, framingBytes: number) {
    this.#buffers = buffers;
    this.#framingBytes = framingBytes;
  }

  /**
   * Whether `take` would return something.
   * @param isLast as for `take`
   */
  hasOutput(isLast: boolean): boolean {
    return this.hasFullOutput || (this.#current !== null && (isLast || this.#inFlightBytes === 0));
  }

  /** Whether the socket has not taken everything that it was given. */
  get isBehind(): boolean {
    return this.#inFlightBytes > 0;
  }

  /** Whether there is a buffer that is as full as it can be. */
  get hasFullOutput(): boolean {
    return (
      this.#filledHead !== null || (this.#current !== null && this.#roomIn(this.#current) < LEAST_ROOM_BYTES)
    );
  }

  /**
   * @param onlyFull leaves the buffer that still has room, as while the socket has an earlier one
   * @param isLast nothing more will be written, so there is nothing to wait for
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

  /** The socket is gone: buffers that were not passed on go back to the pool. */
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

  /**
   * Returns the chunk to write into, with this much room after `length`. The caller reports what it wrote
   * with `commit`.
   */
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

  /** Room for content in the current buffer, framing excluded; a fresh buffer's if little is left. */
  get dataRoom(): number {
    const current = this.#current;
    const room = current === null ? 0 : this.#roomIn(current);
    return room >= LEAST_ROOM_BYTES ? room : this.#buffers.chunkBytes - this.#framingBytes;
  }

  /** Negative if there is no room for the framing. */
  #roomIn(chunk: OutputChunk): number {
    // The bytes in a small buffer move when it needs more room.
    const bytes = this.#buffers.isSmall(chunk) ? this.#buffers.chunkBytes : chunk.buffer.length;
    return bytes - chunk.length - this.#framingBytes;
  }
}
