/**
 * Bytes that wait for credit, copied out of a buffer that is about to be reused. Small pieces are gathered in
 * blocks, so a peer that sends a byte at a time costs its bytes and not an object for each.
 */
import { copyInto } from '../../wire/bytes.ts';

/**
 * A block for a few bytes, which may wait for long. It is allocated when needed and left to the collector.
 */
const SMALL_BLOCK_BYTES = 4_096;
const NO_BYTES = Buffer.alloc(0);

/** Blocks for many bytes. They come and go by the thousand during an upload, so they are used again. */
class FreeBlocks {
  readonly blockBytes: number;
  readonly #maxFree: number;
  readonly #free: Buffer[] = [];

  constructor(blockBytes: number, maxFree: number) {
    this.blockBytes = blockBytes;
    this.#maxFree = maxFree;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.blockBytes);
  }

  give(block: Buffer): void {
    if (this.#free.length < this.#maxFree) this.#free.push(block);
  }
}

/**
 * For a DATA frame of HTTP/2, and for a whole read of a socket, as HTTP/1.1 has them. Of each kind, 4 MiB are
 * kept.
 */
const frameBlocks = new FreeBlocks(16_384, 256);
const readBlocks = new FreeBlocks(65_536, 64);

/**
 * @param bytes how many bytes are to be stored. What does not fit goes into further blocks, so that blocks
 * are mostly full
 */
function acquireBlock(bytes: number): Buffer {
  if (bytes <= SMALL_BLOCK_BYTES) return Buffer.allocUnsafeSlow(SMALL_BLOCK_BYTES);
  return bytes < readBlocks.blockBytes ? frameBlocks.take() : readBlocks.take();
}

function releaseBlock(block: Buffer): void {
  if (block.length === frameBlocks.blockBytes) frameBlocks.give(block);
  else if (block.length === readBlocks.blockBytes) readBlocks.give(block);
}

export class ByteQueue {
  #blocks: Buffer[] = [];
  /** The first unread byte of the first block, and the first free byte of the last. */
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
    while (start < end) {
      const block = acquireBlock(end - start);
      this.#tail = Math.min(end - start, block.length);
      copyInto(block, 0, bytes, start, start + this.#tail);
      this.#blocks.push(block);
      start += this.#tail;
    }
  }

  /**
   * The first contiguous piece, at most `limit` bytes; empty when there is none. Valid until the next `push`
   * or `skip`.
   */
  peek(limit: number): Buffer {
    const first = this.#blocks[0];
    if (first === undefined) return NO_BYTES;
    const end = this.#blocks.length === 1 ? this.#tail : first.length;
    return first.subarray(this.#head, Math.min(end, this.#head + limit));
  }

  /** Removes this many bytes, at most what `peek` has returned. */
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
