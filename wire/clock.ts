/**
 * A clock that all threads of the process read alike, in an integer that a message can carry.
 *
 * It is the monotonic clock, which no step of the system's time moves. Each thread's `performance.now` begins with the thread; the
 * time at its beginning is the same clock's, while `performance.timeOrigin` is the system's time as it was then.
 */

const WRAP = 2 ** 32;
const ORIGIN_MS = originMs();

/** The least of a few readings: in between the two clocks are read the thread may have to wait. */
function originMs(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < 5; reading++) {
    const before = performance.now();
    least = Math.min(least, Number(process.hrtime.bigint()) / 1e6 - before);
  }
  return least;
}

/**
 * Microseconds, modulo 2^32: an hour and eleven minutes.
 * @param nowMs what `performance.now` has just said, if somebody has asked it
 */
export function clockMicroseconds(nowMs = performance.now()): number {
  // ToUint32 is that modulo (ECMA-262 section 7.1.7).
  return ((ORIGIN_MS + nowMs) * 1000) >>> 0;
}

let millisecondsNow = (): number => performance.now();

/** For tests of actors: deadlines go by this from now on. @param source null: by the clock */
export function readMillisecondsFrom(source: (() => number) | null): void {
  millisecondsNow = source ?? (() => performance.now());
}

/** Milliseconds of the same clock, modulo 2^32: 49 days. For deadlines, which are compared by `(later - earlier) | 0`. */
export function clockMilliseconds(nowMs = millisecondsNow()): number {
  return Math.floor(ORIGIN_MS + nowMs) >>> 0;
}

/** Microseconds from one reading to a later one, less than a wrap apart. */
export function microsecondsBetween(earlier: number, later: number): number {
  return (later - earlier + WRAP) % WRAP;
}
