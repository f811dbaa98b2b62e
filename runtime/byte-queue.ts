/**
 * Bytes that wait for credit, copied out of a buffer that is about to be reused. Small pieces are gathered in blocks,
 * so that a peer which sends a byte at a time costs its bytes and not an object for each.
 */
import { copyInto } from '../wire/bytes.ts';

const BLOCK_BYTES = 4096;
const NO_BYTES = Buffer.alloc(0);

export class ByteQueue {
  #blocks: Buffer[] = [];
  /** First unread byte of the first block; first free byte of the last. */
  #head = 0;
  #tail = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array, start: number, end: number): void {
    this.#length += end - start;
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#tail < last.length) {
      const fits = Math.min(end - start, last.length - this.#tail);
      copyInto(last, this.#tail, bytes, start, start + fits);
      this.#tail += fits;
      start += fits;
    }
    if (start === end) return;
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, end - start));
    copyInto(block, 0, bytes, start, end);
    this.#blocks.push(block);
    this.#tail = end - start;
  }

  /** The first contiguous piece, at most `limit` bytes; empty when there is none. Valid until the next `push` or `skip`. */
  peek(limit: number): Buffer {
    const first = this.#blocks[0];
    if (first === undefined) return NO_BYTES;
    const end = this.#blocks.length === 1 ? this.#tail : first.length;
    return first.subarray(this.#head, Math.min(end, this.#head + limit));
  }

  /** Takes off so many bytes, at most what `peek` has shown. */
  skip(bytes: number): void {
    this.#length -= bytes;
    this.#head += bytes;
    const first = this.#blocks[0] as Buffer;
    const end = this.#blocks.length === 1 ? this.#tail : first.length;
    if (this.#head < end) return;
    this.#blocks.shift();
    this.#head = 0;
    if (this.#blocks.length === 0) this.#tail = 0;
  }

  clear(): void {
    this.#blocks = [];
    this.#head = 0;
    this.#tail = 0;
    this.#length = 0;
  }
}
