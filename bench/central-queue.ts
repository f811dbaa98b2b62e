/**
 * The ideal: one queue in the order of arrival, servers that begin the next request the moment they are free, and nothing that
 * costs anything but the service itself. What a server with as many threads could do at best, without knowing what a request will cost.
 */
import type { Arrival, Kind } from './arrivals.ts';

/**
 * @param slowdown how much longer than `serviceMs` a service takes where the cores are shared
 * @returns from its arrival until it is served, in milliseconds, for each arrival in its order
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
