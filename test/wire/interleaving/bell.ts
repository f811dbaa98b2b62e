/** A doorbell that only counts, in shared words, so that a test sees the rings of both sides. */

import type { Doorbell } from '../../../wire/doorbell.ts';

export const BELL_TO_REACTOR = 0;
export const BELL_TO_THREAD = 1;

export function countingBell(memory: SharedArrayBuffer, word: number): () => Doorbell {
  const words = new Int32Array(memory);
  return () => ({
    ring() {
      Atomics.add(words, word, 1);
    },
    ref() {},
    unref() {},
    close() {},
  });
}
