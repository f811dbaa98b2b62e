/** Converts a histogram of waits into the form of a status. */
import type { Histogram } from '../pools/histogram.ts';
import type { WaitStatus } from './status-types.ts';

export function waitStatus(histogram: Histogram, hasBuckets: boolean): WaitStatus {
  const quantile = (part: number) => histogram.quantileUs(part) / 1000;
  return {
    count: histogram.count,
    sumMs: round(histogram.sumUs / 1000),
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
    ...(hasBuckets && { buckets: [...histogram].map(([mostUs, count]) => [mostUs / 1000, count] as const) }),
  };
}

/** Rounds to microseconds. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
