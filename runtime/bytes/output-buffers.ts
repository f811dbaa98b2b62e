/**
 * Buffers for what leaves. One pool serves all connections of a reactor: a connection holds a buffer only
 * while it has bytes to send, so an idle one holds none.
 *
 * They come in two sizes. Hundreds of connections may have a small answer to send in one turn, and a large buffer for each would
 * be more memory than the processor's cache or this pool keeps.
 */

/** A buffer with its filled part [start, length). */
export class OutputChunk {
  readonly buffer: Buffer;
  /** Bytes filled: the owner writes buffer[0, length). */
  length = 0;
  /** Where the unread part begins, when the chunk serves as a stream's queue. */
  start = 0;
  next: OutputChunk | null = null;
  /** Where it goes when it is released; null: it is not kept. */
  readonly home: FreeChunks | null;

  /** As `filled` has given it last. */
  #filled: Buffer | null = null;

  constructor(buffer: Buffer, home: FreeChunks | null) {
    this.buffer = buffer;
    this.home = home;
  }

  /** buffer[0, length). Answers are often as long as the last, and a view costs as much as the copying of a hundred bytes. */
  get filled(): Buffer {
    if (this.#filled?.length !== this.length) this.#filled = this.buffer.subarray(0, this.length);
    return this.#filled;
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

/** Buffers of one size that wait for their next use. */
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
   * @param chunkBytes size of a large buffer; default 64 KiB of content, and four frame heads of HTTP/2 (RFC 9113 section 4.1).
   * @param maxFree large buffers kept for reuse; default 32, so a burst's memory is given back.
   * @param smallBytes size of a small one; default 4 KiB
   * @param maxFreeSmall small ones kept; default 1,024, which is 4 MiB: as many sockets may be told the same in one turn
   */
  constructor(chunkBytes = 65_536 + 4 * 9, maxFree = 32, smallBytes = 4_096, maxFreeSmall = 1024) {
    this.chunkBytes = chunkBytes;
    this.#large = new FreeChunks(chunkBytes, maxFree);
    this.#small = new FreeChunks(Math.min(smallBytes, chunkBytes), maxFreeSmall);
  }

  /** Chunks that are out of the pool. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** A large chunk with room for at least that much: larger than usual for a field block that needs it. */
  acquire(leastBytes: number): OutputChunk {
    this.#heldCount++;
    if (leastBytes > this.chunkBytes) return new OutputChunk(Buffer.allocUnsafeSlow(leastBytes), null);
    return this.#large.take();
  }

  /** A small chunk where that much fits in, otherwise a large one. */
  acquireSmall(leastBytes: number): OutputChunk {
    if (leastBytes > this.#small.chunkBytes) return this.acquire(leastBytes);
    this.#heldCount++;
    return this.#small.take();
  }

  isSmall(chunk: OutputChunk): boolean {
    return chunk.home === this.#small;
  }

  /** A chunk of just this size, for little that may lie for long. It is not kept when released. */
  acquireExact(bytes: number): OutputChunk {
    this.#heldCount++;
    return new OutputChunk(Buffer.allocUnsafe(bytes), null);
  }

  /** Takes back a chunk whose bytes nobody reads any more. */
  release(chunk: OutputChunk): void {
    // Two owners of one buffer would mix two peers' bytes: better to stop here.
    if (chunk.start === released) throw new OutputMisuseError();
    this.#heldCount--;
    chunk.start = released;
    chunk.next = null;
    chunk.home?.give(chunk);
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
