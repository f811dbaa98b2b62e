/** The configuration in force as text: `sluice config` and `sluice check --effective`. */
import type { EffectiveValue } from '../config/effective.ts';

/** A line for each value: its path, the value, and its source. */
export function effectiveTable(values: readonly EffectiveValue[]): string {
  const rows = values.map(({ where, value, source, line }) => ({
    left: `${where.replace(/^\$\./, '')} = ${JSON.stringify(value)}`,
    right: line === undefined ? source : `${source}, line ${line}`,
  }));
  // A single long value must not push all sources out of sight.
  const width = Math.min(72, Math.max(0, ...rows.map(({ left }) => left.length)));
  return rows.map(({ left, right }) => `${left.padEnd(width)}  ${right}\n`).join('');
}
