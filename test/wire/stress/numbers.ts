/** What the stress tests send: numbered records of varying length whose bytes can be checked. */

/** The words that the sides wait on, one for each. */
export const BELL_TO_CONSUMER = 0;
export const BELL_TO_PRODUCER = 1;

export interface StressData {
  readonly ring: SharedArrayBuffer;
  readonly bells: Int32Array;
  readonly records: number;
  readonly seed: number;
}

/** A small generator that both threads run in step (xorshift32). */
export function nextRandom(state: number): number {
  let next = state;
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return next;
}

/** From 4 to 27 bytes: the number itself and some more. */
export function lengthOf(random: number): number {
  return 4 + ((random >>> 8) % 24);
}

export function ring(bells: Int32Array, bell: number): void {
  Atomics.add(bells, bell, 1);
  Atomics.notify(bells, bell);
}
