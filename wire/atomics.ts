/**
 * The seam between the algorithms and the machine. Every word that two threads share is read and written
 * through this interface, so a test can put a step between any two accesses and walk every interleaving of
 * the real code.
 *
 * These accesses also order everything else in shared memory: a thread that `load`s a value sees all that was
 * written before the `store` of that value (ECMA-262 section 29, sequentially consistent atomics).
 */
export interface AtomicWords {
  load(words: Int32Array, index: number): number;
  store(words: Int32Array, index: number, value: number): void;
  /** Puts `next` where `expected` was. True if it did; false if the word held something else. */
  replace(words: Int32Array, index: number, expected: number, next: number): boolean;
}

/**
 * The machine's own atomics. One object serves the whole process, so that calls through it stay monomorphic
 * and are inlined.
 */
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
