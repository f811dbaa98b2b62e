/**
 * The ideal server: one queue in the order of arrival, threads that begin the next request the moment they
 * are free, and no cost but the service itself. It is the best that a server with the same number of threads
 * could do without knowing what a request will cost.
 */
import type { Arrival, Kind } from './arrivals.ts';

/**
 * @param slowdown how much longer than `serviceMs` a service takes because the cores are shared
 * @returns the time in milliseconds from arrival to completion, for each arrival in order
 */
export function idealLatencies(
  kinds: readonly Kind[],
  arrivals: readonly Arrival[],
  servers: number,
  slowdown: number,
): number[] {
  const freeAtMs = new Array<number>(servers).fill(0);
  return arrivals.map(({ atMs, kind }) => {
    const first = freeAtMs.indexOf(Math.min(...freeAtMs));
    const endMs = Math.max(atMs, freeAtMs[first]) + kinds[kind].serviceMs * slowdown;
    freeAtMs[first] = endMs;
    return endMs - atMs;
  });
}
