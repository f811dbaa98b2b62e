/**
 * Response bytes of one stream that wait for a window or for room in the output. They are copied once, on the
 * way in.
 */
import { copyBytes, type OutputBuffers, type OutputChunk } from './output-buffers.ts';

export class SendQueue {
  readonly #buffers: OutputBuffers;
  #head: OutputChunk | null = null;
  #tail: OutputChunk | null = null;
  bytes = 0;

  constructor(buffers: OutputBuffers) {
    this.#buffers = buffers;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    while (start < end) {
      let tail = this.#tail;
      if (tail === null || tail.length === tail.buffer.length) {
        tail = this.#chunkFor(end - start);
        if (this.#tail === null) this.#head = tail;
        else this.#tail.next = tail;
        this.#tail = tail;
      }
      const count = Math.min(end - start, tail.buffer.length - tail.length);
      copyBytes(tail.buffer, tail.length, bytes, start, start + count);
      tail.length += count;
      start += count;
    }
  }

  /** Moves `count` bytes, which must be in the queue, to target at offset. */
  moveTo(target: Uint8Array, offset: number, count: number): void {
    this.bytes -= count;
    while (count > 0) {
      const head = this.#head as OutputChunk;
      const part = Math.min(count, head.length - head.start);
      copyBytes(target, offset, head.buffer, head.start, head.start + part);
      head.start += part;
      offset += part;
      count -= part;
      if (head.start === head.length) this.#drop(head);
    }
  }

  clear(): void {
    this.bytes = 0;
    while (this.#head !== null) this.#drop(this.#head);
  }

  #drop(head: OutputChunk): void {
    this.#head = head.next;
    if (this.#head === null) this.#tail = null;
    this.#buffers.release(head);
  }

  /**
   * A pool buffer for a large amount, an exact one for a small one: stalled content should use about as much
   * memory as its size.
   */
  #chunkFor(bytes: number): OutputChunk {
    if (bytes * 2 >= this.#buffers.chunkBytes) return this.#buffers.acquire(0);
    return this.#buffers.acquireExact(bytes);
  }
}
