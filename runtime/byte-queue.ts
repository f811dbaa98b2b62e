/**
 * Bytes that wait for credit, copied out of a buffer that is about to be reused. Small pieces are gathered in blocks,
 * so that a peer which sends a byte at a time costs its bytes and not an object for each.
 */
import { copyInto } from '../wire/bytes.ts';

/** A block for little, which may lie for long; made when it is needed and left to the collector. */
const SMALL_BLOCK_BYTES = 4096;
/** A block for much: these come and go by the thousand during an upload, so they are used again. */
const LARGE_BLOCK_BYTES = 16_384;
/** Large blocks kept for reuse, 4 MiB. */
const MAX_FREE_BLOCKS = 256;
const NO_BYTES = Buffer.alloc(0);
const freeBlocks: Buffer[] = [];

function acquireBlock(bytes: number): Buffer {
  if (bytes <= SMALL_BLOCK_BYTES) return Buffer.allocUnsafeSlow(SMALL_BLOCK_BYTES);
  if (bytes > LARGE_BLOCK_BYTES) return Buffer.allocUnsafeSlow(bytes);
  return freeBlocks.pop() ?? Buffer.allocUnsafeSlow(LARGE_BLOCK_BYTES);
}

function releaseBlock(block: Buffer): void {
  if (block.length === LARGE_BLOCK_BYTES && freeBlocks.length < MAX_FREE_BLOCKS) freeBlocks.push(block);
}

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
    const block = acquireBlock(end - start);
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
    releaseBlock(first);
    this.#head = 0;
    if (this.#blocks.length === 0) this.#tail = 0;
  }

  clear(): void {
    for (const block of this.#blocks) releaseBlock(block);
    this.#blocks = [];
    this.#head = 0;
    this.#tail = 0;
    this.#length = 0;
  }
}
