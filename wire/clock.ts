/** A clock that all threads of the process read alike, in an integer that a message can carry. */

const WRAP = 2 ** 32;

/**
 * Microseconds, modulo 2^32: an hour and eleven minutes.
 * @param nowMs what `performance.now` has just said, if somebody has asked it
 */
export function clockMicroseconds(nowMs = performance.now()): number {
  return Math.trunc((performance.timeOrigin + nowMs) * 1000) % WRAP;
}

/** Microseconds from one reading to a later one, less than a wrap apart. */
export function microsecondsBetween(earlier: number, later: number): number {
  return (later - earlier + WRAP) % WRAP;
}
