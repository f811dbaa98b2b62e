/**
 * The few statistics that the tables use. Samples are small, so there is no interpolation beyond the middle
 * of an even count.
 */

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Nearest rank: the smallest value that at least `percent` of all values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/**
 * The median of the per-round ratios. The runs of a round are close in time, so a machine that slows down
 * between rounds changes both sides of a ratio and not the ratio.
 */
export function medianRatio(values: readonly number[], baseline: readonly number[]): number {
  return median(values.map((value, round) => value / baseline[round]));
}

/**
 * An interval that contains the true median with at least 95 %, whatever the distribution: the number of n
 * values below it is binomial with probability one half. It needs six values; with fewer the interval is the
 * whole range.
 */
export function medianInterval(values: readonly number[]): [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b);
  let below = 2 ** -sorted.length;
  let probability = below;
  let skipped = 0;
  // Values that may be left out at either end.
  while (probability <= 0.025 && skipped < sorted.length >> 1) {
    skipped++;
    below *= (sorted.length - skipped + 1) / skipped;
    probability += below;
  }
  const outside = Math.max(0, skipped - 1);
  return [sorted[outside], sorted[sorted.length - 1 - outside]];
}
