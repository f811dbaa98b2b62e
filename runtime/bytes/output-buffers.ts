/**
 * Buffers for what leaves. One pool serves all connections of a reactor: a connection holds a buffer only
 * while it has bytes to send, so an idle one holds none.
 */

/** A buffer with its filled part [start, length). */
export class OutputChunk {
  readonly buffer: Buffer;
  /** Bytes filled: the owner writes buffer[0, length). */
  length = 0;
  /** Where the unread part begins, when the chunk serves as a stream's queue. */
  start = 0;
  next: OutputChunk | null = null;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }
}

/** `start` of a chunk that has been released. Its `length` stays readable, for `sent`. */
const released = -1;

/** A bug of ours: the owner of a connection gave the same chunk back a second time. */
class OutputMisuseError extends Error {
  override readonly name = 'OutputMisuseError';
  readonly code = 'SLUICE_OUTPUT_MISUSE';

  constructor() {
    super('output chunk: expected one release, but it was released again');
  }
}

export class OutputBuffers {
  /** Size of every pooled buffer. */
  readonly chunkBytes: number;
  readonly #maxFree: number;
  #free: OutputChunk | null = null;
  #freeCount = 0;
  #heldCount = 0;

  /**
   * @param chunkBytes size of a buffer; default 64 KiB of content, and four frame heads of HTTP/2 (RFC 9113 section 4.1).
   * @param maxFree buffers kept for reuse; default 32, so a burst's memory is given back.
   */
  constructor(chunkBytes = 65_536 + 4 * 9, maxFree = 32) {
    this.chunkBytes = chunkBytes;
    this.#maxFree = maxFree;
  }

  /** Chunks that are out of the pool. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** A chunk with room for at least that much: larger than usual for a field block that needs it. */
  acquire(leastBytes: number): OutputChunk {
    this.#heldCount++;
    if (leastBytes > this.chunkBytes) return new OutputChunk(Buffer.allocUnsafeSlow(leastBytes));
    const chunk = this.#free;
    if (chunk === null) return new OutputChunk(Buffer.allocUnsafeSlow(this.chunkBytes));
    this.#free = chunk.next;
    this.#freeCount--;
    chunk.next = null;
    chunk.length = 0;
    chunk.start = 0;
    return chunk;
  }

  /** A chunk of just this size, for little that may lie for long. It is not kept when released. */
  acquireExact(bytes: number): OutputChunk {
    this.#heldCount++;
    return new OutputChunk(Buffer.allocUnsafe(bytes));
  }

  /** Takes back a chunk whose bytes nobody reads any more. */
  release(chunk: OutputChunk): void {
    // Two owners of one buffer would mix two peers' bytes: better to stop here.
    if (chunk.start === released) throw new OutputMisuseError();
    this.#heldCount--;
    chunk.start = released;
    chunk.next = null;
    if (this.#freeCount >= this.#maxFree || chunk.buffer.length !== this.chunkBytes) return;
    chunk.next = this.#free;
    this.#free = chunk;
    this.#freeCount++;
  }
}

/**
 * Not `TypedArray.set`: where the source is shared memory, as a ring's is, `set` copies byte by byte, ten times as slowly.
 */
const copy = Buffer.prototype.copy;

/** Copies source[start,end) to target at offset. */
export function copyBytes(
  target: Uint8Array,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  // A view costs more than a short loop saves.
  if (end - start <= 64) {
    for (let i = start; i < end; i++) target[offset++] = source[i];
  } else {
    copy.call(source, target, offset, start, end);
  }
}
