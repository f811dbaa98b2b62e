/**
 * Requests that arrive when they arrive, whether earlier ones have been answered or not (an open loop), made from a seed: every
 * contender of a round, and the ideal queue, meet the same ones.
 */
import type { Random } from './random.ts';

export interface Kind {
  readonly name: string;
  /** Of all requests; the shares of a mix sum up to 1. */
  readonly share: number;
  /** CPU time of one, on a core that has nothing else to do. */
  readonly serviceMs: number;
}

export interface Arrival {
  /** Since the first could have come. */
  readonly atMs: number;
  /** Index among the kinds. */
  readonly kind: number;
}

/** Poisson arrivals: the gaps are exponential and know nothing of each other, nor does the kind. */
export function poissonArrivals(
  kinds: readonly Kind[],
  perSecond: number,
  seconds: number,
  random: Random,
): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let atMs = gapMs(perSecond, random); atMs < seconds * 1_000; atMs += gapMs(perSecond, random)) {
    arrivals.push({ atMs, kind: pickKind(kinds, random) });
  }
  return arrivals;
}

function gapMs(perSecond: number, random: Random): number {
  return (-Math.log(1 - random()) * 1_000) / perSecond;
}

export function pickKind(kinds: readonly Kind[], random: Random): number {
  let left = random();
  for (const [index, { share }] of kinds.entries()) {
    left -= share;
    if (left < 0) return index;
  }
  return kinds.length - 1;
}

export function meanServiceMs(kinds: readonly Kind[]): number {
  return kinds.reduce((sum, { share, serviceMs }) => sum + share * serviceMs, 0);
}
