/**
 * Two words that a thread and the reactor share about profiles of that thread. A thread that ends by itself (`process.exit`, an error
 * that nobody caught) can wait for nothing but such a word any more, and with it would go what has been sampled.
 */
export const ProfileWord = {
  /** 1: a profile of the thread runs. */
  Running: 0,
  /** 1: the profile has what it wants of the thread. */
  Taken: 1,
} as const;

export function allocateProfileWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}
