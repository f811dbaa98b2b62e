/** A clock that all threads of the process read alike, in an integer that a message can carry. */

const WRAP = 2 ** 32;

/** Microseconds, modulo 2^32: an hour and eleven minutes. */
export function clockMicroseconds(): number {
  return Math.trunc((performance.timeOrigin + performance.now()) * 1000) % WRAP;
}

/** Microseconds from one reading to a later one, less than a wrap apart. */
export function microsecondsBetween(earlier: number, later: number): number {
  return (later - earlier + WRAP) % WRAP;
}
