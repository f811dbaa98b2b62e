/**
 * Requests that arrive whether earlier ones have been answered or not (an open loop). They are generated from
 * a seed, so every contender of a round, and the ideal queue, get the same requests.
 */
import type { Random } from './random.ts';

export interface Kind {
  readonly name: string;
  /** Share of all requests; the shares of a mix add up to 1. */
  readonly share: number;
  /** CPU time of one request, on a core that has nothing else to do. */
  readonly serviceMs: number;
}

export interface Arrival {
  /** Time since the start. */
  readonly atMs: number;
  /** Index into the kinds. */
  readonly kind: number;
}

/** Poisson arrivals: the gaps are exponential and independent, and so is the kind. */
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
