/** A book in shared memory: what each key has counted, what each caller sent last, and how many instances a key has now. */

export const KEYS = 12;
export const CALLERS = 10;

export interface Book {
  readonly keys: number;
  /** Of a key that live now. */
  readonly instances: Int32Array;
  readonly counts: Int32Array;
  /** By caller and key. */
  readonly sequences: Int32Array;
  /** Two instances of a key at once; messages of a caller out of order; an instance that stops while it runs. */
  readonly faults: Int32Array;
}

export function openBook(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (2 * KEYS + CALLERS * KEYS + 3));
}

export function bookOf(memory: SharedArrayBuffer): Book {
  let at = 0;
  const take = (words: number) => {
    const part = new Int32Array(memory, 4 * at, words);
    at += words;
    return part;
  };
  return {
    keys: KEYS,
    instances: take(KEYS),
    counts: take(KEYS),
    sequences: take(CALLERS * KEYS),
    faults: take(3),
  };
}
