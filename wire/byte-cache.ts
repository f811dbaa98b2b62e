/**
 * Values that were made from bytes, found again by the same bytes. A message that is mostly the same as an
 * earlier one need not be decoded again.
 *
 * All of the bytes are compared, so a value is returned only for exactly the bytes that it was made from,
 * whichever peer sent them. The table is direct-mapped: bytes whose place is taken replace the earlier ones, so no
 * sender can make a search long. Only bytes that come a second time are kept. When the keys would exceed
 * `MAX_BYTES`, the table is emptied.
 */
const ENTRIES = 512;
/** `>>> SHIFT` leaves an index into `ENTRIES` places. */
const SHIFT = 23;
const MAX_BYTES = 262_144;
/** Longer keys are not kept. */
export const MAX_KEY_BYTES = 4096;
/**
 * The hash covers all of the first bytes, where a request has the peer's address and port, and a few of the
 * rest.
 */
const HASHED_FRONT_BYTES = 16;
const HASHED_REST_BYTES = 8;
/** 2^32 divided by the golden ratio (Knuth, volume 3, section 6.4). */
const GOLDEN = 0x9e3779b1;
/** Up to this length a loop is quicker than a call into the runtime. */
const SHORT_KEY_BYTES = 64;

export class ByteCache<Value> {
  readonly #hashes = new Int32Array(ENTRIES);
  readonly #keys = new Array<Buffer | null>(ENTRIES).fill(null);
  readonly #values = new Array<Value | null>(ENTRIES).fill(null);
  #keptBytes = 0;
  /** The place of the bytes of the last `get`; -1 if they were too long. */
  #index = -1;
  /**
   * Set by a `get` that found nothing: the same bytes seem to have come before, so a `set` is worth its cost.
   */
  isRepeated = false;

  /** Returns the value kept for bytes[start, end), or null. */
  get(bytes: Uint8Array, start: number, end: number): Value | null {
    const length = end - start;
    if (length > MAX_KEY_BYTES) {
      this.#index = -1;
      this.isRepeated = false;
      return null;
    }
    const hash = hashOf(bytes, start, end);
    const index = hash >>> SHIFT;
    this.#index = index;
    this.isRepeated = this.#hashes[index] === hash;
    if (!this.isRepeated) {
      this.#hashes[index] = hash;
      this.#drop(index);
      return null;
    }
    const key = this.#keys[index];
    if (key === null || key.length !== length || !isSame(key, bytes, start, end)) return null;
    return this.#values[index];
  }

  /**
   * Keeps a value for the bytes of the last `get`.
   * @param key a copy of those bytes, which is never written to
   */
  set(key: Buffer, value: Value): void {
    const index = this.#index;
    if (index === -1) return;
    if (this.#keptBytes + key.length > MAX_BYTES) this.clear();
    this.#drop(index);
    this.#keys[index] = key;
    this.#values[index] = value;
    this.#keptBytes += key.length;
  }

  /** The total length of the keys. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  clear(): void {
    this.#keys.fill(null);
    this.#values.fill(null);
    this.#keptBytes = 0;
  }

  #drop(index: number): void {
    const key = this.#keys[index];
    if (key === null) return;
    this.#keptBytes -= key.length;
    this.#keys[index] = null;
    this.#values[index] = null;
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  const frontEnd = Math.min(end, start + HASHED_FRONT_BYTES);
  let hash = end - start;
  for (let i = start; i < frontEnd; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  const step = Math.max(1, Math.ceil((end - frontEnd) / HASHED_REST_BYTES));
  for (let i = frontEnd; i < end; i += step) hash = (Math.imul(hash, 31) + bytes[i]) | 0;
  return Math.imul(hash, GOLDEN);
}

function isSame(key: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  const length = key.length;
  if (length > SHORT_KEY_BYTES) return key.compare(bytes, start, end) === 0;
  for (let i = 0; i < length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
