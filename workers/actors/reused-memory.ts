/**
 * Memory for the items of a stream whose reader lets it be used again (`reuseMemory`). A large item that is bytes and nothing else lies in
 * it until its reader asks for the next one. A new buffer for each item would cost more than the copy into it: page faults, and a garbage
 * collection for every few dozen of them.
 */
import { copyInto } from '../../wire/bytes.ts';
import { binaryWithin } from '../../wire/payload/forms.ts';

/** Below this size a new buffer costs less than managing a reused one. */
const LEAST_BYTES = 4_096;

export class ReusedMemory {
  readonly #free: ArrayBuffer[] = [];
  /** All buffers of this stream, free or not. */
  readonly #own = new Set<ArrayBuffer>();
  /** The buffer that the reader holds. */
  #lent: ArrayBuffer[] = [];

  /** The item, if it is large and all bytes; null: it is something else. The payload is bytes[start, end). */
  take(bytes: Buffer, start: number, end: number): Uint8Array | null {
    const from = binaryWithin(bytes, start, end);
    const length = end - from;
    if (from === -1 || length < LEAST_BYTES) return null;
    const item = new Uint8Array(this.#memoryFor(length), 0, length);
    copyInto(item, 0, bytes, from, end);
    return item;
  }

  #memoryFor(length: number): ArrayBuffer {
    // The last one that was given back is still in the processor's cache.
    const at = this.#free.findLastIndex(({ byteLength }) => byteLength >= length);
    if (at !== -1) return this.#free.splice(at, 1)[0] as ArrayBuffer;
    // One that is too small makes room, so there are never more than the stream's credit allows items.
    const small = this.#free.pop();
    if (small !== undefined) this.#own.delete(small);
    const memory = Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer;
    this.#own.add(memory);
    return memory;
  }

  /** The reader has been given this item. */
  lend(item: unknown): void {
    if (!(item instanceof Uint8Array) || !this.#own.has(item.buffer as ArrayBuffer)) return;
    this.#lent.push(item.buffer as ArrayBuffer);
  }

  /** The reader wants another item, so it has no more use for those that it has. */
  takeBack(): void {
    for (const memory of this.#lent) {
      // The reader may have transferred it.
      if (memory.detached) this.#own.delete(memory);
      else this.#free.push(memory);
    }
    this.#lent = [];
  }

  /** Buffers that the stream has. */
  get buffers(): number {
    return this.#own.size;
  }
}
