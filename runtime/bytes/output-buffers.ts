/**
 * Buffers for output. One pool serves all connections of a reactor. A connection holds a buffer only while it
 * has bytes to send, so an idle one holds none.
 *
 * Buffers come in two sizes. Hundreds of connections may have a small response to send in one turn; a large
 * buffer for each would need more memory than the processor's cache or this pool keeps.
 */

/** A buffer whose filled part is [start, length). */
export class OutputChunk {
  readonly buffer: Buffer;
  /** Bytes filled; the owner writes buffer[0, length). */
  length = 0;
  /** Where the unread part begins, when the chunk serves as a stream's queue. */
  start = 0;
  next: OutputChunk | null = null;
  /** The list that the chunk returns to when it is released; null: it is not kept. */
  readonly home: FreeChunks | null;

  /** The last value of `filled`. */
  #filled: Buffer | null = null;

  constructor(buffer: Buffer, home: FreeChunks | null) {
    this.buffer = buffer;
    this.home = home;
  }

  /**
   * buffer[0, length). Responses are often as long as the one before, and a view costs as much as copying a
   * hundred bytes.
   */
  get filled(): Buffer {
    if (this.#filled?.length !== this.length) this.#filled = this.buffer.subarray(0, this.length);
    return this.#filled;
  }
}

/** The `start` of a released chunk. Its `length` stays readable, for `sent`. */
const released = -1;

/** A bug in Sluice: the owner of a connection released the same chunk twice. */
class OutputMisuseError extends Error {
  override readonly name = 'OutputMisuseError';
  readonly code = 'SLUICE_OUTPUT_MISUSE';

  constructor() {
    super('output chunk: expected one release, but it was released again');
  }
}

/** Free buffers of one size. */
class FreeChunks {
  readonly chunkBytes: number;
  readonly #maxFree: number;
  #first: OutputChunk | null = null;
  #count = 0;

  constructor(chunkBytes: number, maxFree: number) {
    this.chunkBytes = chunkBytes;
    this.#maxFree = maxFree;
  }

  take(): OutputChunk {
    const chunk = this.#first;
    if (chunk === null) return new OutputChunk(Buffer.allocUnsafeSlow(this.chunkBytes), this);
    this.#first = chunk.next;
    this.#count--;
    chunk.next = null;
    chunk.length = 0;
    chunk.start = 0;
    return chunk;
  }

  give(chunk: OutputChunk): void {
    if (this.#count >= this.#maxFree) return;
    chunk.next = this.#first;
    this.#first = chunk;
    this.#count++;
  }
}

export class OutputBuffers {
  /** Size of a large buffer. */
  readonly chunkBytes: number;
  readonly #large: FreeChunks;
  readonly #small: FreeChunks;
  #heldCount = 0;

  /**
   * @param chunkBytes size of a large buffer; default 64 KiB of content, and four frame heads of HTTP/2 (RFC
   * 9113 section 4.1)
   * @param maxFree large buffers kept for reuse; default 32, so that the memory of a burst is given back
   * @param smallBytes size of a small buffer; default 4 KiB
   * @param maxFreeSmall small buffers kept; default 1,024, which is 4 MiB: one turn may send the same small
   * response to as many sockets
   */
  constructor(chunkBytes = 65_536 + 4 * 9, maxFree = 32, smallBytes = 4_096, maxFreeSmall = 1024) {
    this.chunkBytes = chunkBytes;
    this.#large = new FreeChunks(chunkBytes, maxFree);
    this.#small = new FreeChunks(Math.min(smallBytes, chunkBytes), maxFreeSmall);
  }

  /** Chunks that are in use. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /**
   * Returns a large chunk with room for at least this much; it is larger than usual for a field block that
   * needs it.
   */
  acquire(leastBytes: number): OutputChunk {
    this.#heldCount++;
    if (leastBytes > this.chunkBytes) return new OutputChunk(Buffer.allocUnsafeSlow(leastBytes), null);
    return this.#large.take();
  }

  /** Returns a small chunk if that much fits into it, otherwise a large one. */
  acquireSmall(leastBytes: number): OutputChunk {
    if (leastBytes > this.#small.chunkBytes) return this.acquire(leastBytes);
    this.#heldCount++;
    return this.#small.take();
  }

  isSmall(chunk: OutputChunk): boolean {
    return chunk.home === this.#small;
  }

  /**
   * Returns a chunk of exactly this size, for a few bytes that may wait for long. It is not kept when
   * released.
   */
  acquireExact(bytes: number): OutputChunk {
    this.#heldCount++;
    return new OutputChunk(Buffer.allocUnsafe(bytes), null);
  }

  /** Takes back a chunk whose bytes are no longer read. */
  release(chunk: OutputChunk): void {
    // Two owners of one buffer would mix two peers' bytes, so the process must stop here.
    if (chunk.start === released) throw new OutputMisuseError();
    this.#heldCount--;
    chunk.start = released;
    chunk.next = null;
    chunk.home?.give(chunk);
  }
}

/**
 * Not `TypedArray.set`: if the source is shared memory, as a ring's is, `set` copies byte by byte and is ten
 * times slower.
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
  // For so few bytes a loop is cheaper than a view.
  if (end - start <= 64) {
    for (let i = start; i < end; i++) target[offset++] = source[i];
  } else {
    copy.call(source, target, offset, start, end);
  }
}
