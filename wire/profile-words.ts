/**
 * Two words that a thread and the reactor share about profiles of that thread. A thread that ends by itself
 * (`process.exit`, an uncaught error) can no longer wait for a message, only for a word like this. Without
 * the wait its samples would be lost with it.
 */
export const ProfileWord = {
  /** 1: a profile of the thread is being taken. */
  Running: 0,
  /** 1: the profiler has taken what it needs from the thread. */
  Taken: 1,
} as const;

export function allocateProfileWords(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}
