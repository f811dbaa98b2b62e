/**
 * The seam between the algorithms and the machine. Every word that two threads share is read and written through
 * this interface, so that a test can put a step between any two accesses and walk every interleaving of the real
 * code. Everything else in shared memory is ordered by these accesses: what was written before a `store` is seen by
 * whoever `load`s its value (ECMA-262 section 29, sequentially consistent atomics).
 */
export interface AtomicWords {
  load(words: Int32Array, index: number): number;
  store(words: Int32Array, index: number, value: number): void;
  /** Puts `next` where `expected` was; true when it did. */
  replace(words: Int32Array, index: number, expected: number, next: number): boolean;
}

/** The machine itself. One object for the whole process, so that calls through it stay monomorphic and inline. */
export const hardwareAtomics: AtomicWords = {
  load(words, index) {
    return Atomics.load(words, index);
  },
  store(words, index, value) {
    Atomics.store(words, index, value);
  },
  replace(words, index, expected, next) {
    return Atomics.compareExchange(words, index, expected, next) === expected;
  },
};
