/**
 * A clock that is the same for all threads of the process, as an integer that a message can carry.
 *
 * It is the monotonic clock, which ignores changes of the system time. Each thread's `performance.now` counts
 * from the start of that thread. The origin below is the thread's start on the monotonic clock;
 * `performance.timeOrigin` cannot serve, because it is the system time at that moment.
 */

import { performance } from 'node:perf_hooks';

const WRAP = 2 ** 32;
const ORIGIN_MS = originMs();

/** The smallest of a few readings: the thread may be suspended between its reading of the two clocks. */
function originMs(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < 5; reading++) {
    const before = performance.now();
    least = Math.min(least, Number(process.hrtime.bigint()) / 1e6 - before);
  }
  return least;
}

/**
 * Microseconds, modulo 2^32: the clock wraps after an hour and eleven minutes.
 * @param nowMs a fresh reading of `performance.now`, if the caller has one
 */
export function clockMicroseconds(nowMs = performance.now()): number {
  // ToUint32 is exactly this modulo (ECMA-262 section 7.1.7).
  return ((ORIGIN_MS + nowMs) * 1000) >>> 0;
}

let millisecondsNow = (): number => performance.now();

/**
 * For tests of actors: deadlines read this source from now on.
 * @param source null: the real clock again
 */
export function readMillisecondsFrom(source: (() => number) | null): void {
  millisecondsNow = source ?? (() => performance.now());
}

/**
 * Milliseconds of the same clock, modulo 2^32: it wraps after 49 days. For deadlines, which are compared by
 * `(later - earlier) | 0`.
 */
export function clockMilliseconds(nowMs = millisecondsNow()): number {
  return Math.floor(ORIGIN_MS + nowMs) >>> 0;
}

/** Microseconds from one reading to a later one. The two must be less than one wrap apart. */
export function microsecondsBetween(earlier: number, later: number): number {
  return (later - earlier + WRAP) % WRAP;
}
