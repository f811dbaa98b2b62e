/** The few statistics that the tables use. Small samples: no interpolation beyond the middle of an even count. */

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
 * The median of the ratios that each round gives. A round's runs are neighbours in time, so a machine that slows
 * down between rounds moves both sides of a ratio and leaves it standing.
 */
export function medianRatio(values: readonly number[], baseline: readonly number[]): number {
  return median(values.map((value, round) => value / baseline[round]));
}

/**
 * An interval that holds the true median with at least 95 %, whatever the distribution: how many of n values lie below it is binomial
 * with a half. From six values on; fewer give all that there is.
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
