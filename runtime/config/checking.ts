/** Shared parts of checks on a configuration whose other parts may already have been found invalid. */
import { closest } from './closest.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';
import { childPath } from './json-source.ts';
import { memberOf } from './member-of.ts';

/** True if the place has a problem already: another one would only repeat it. */
export function isReported(path: string, problems: readonly ConfigProblem[]): boolean {
  return problems.some(({ where }) => where === path);
}

export function conflict(where: string, expected: string, value: unknown): ConfigProblem {
  return { code: ConfigErrorCode.Conflict, where, expected, received: describeValue(value) };
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function membersOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

export function unknownPool(where: string, pool: string, names: readonly string[]): ConfigProblem {
  const code = ConfigErrorCode.UnknownPool;
  const expected = `a pool (${names.length === 0 ? 'there is none' : names.join(', ')})`;
  const problem = { code, where, expected, received: describeValue(pool) };
  const near = closest(pool, names);
  return near === undefined ? problem : { ...problem, hint: `did you mean ${describeValue(near)}?` };
}

export interface SmallestRing {
  readonly bytes: number;
  /** JSON path of its size. */
  readonly where: string;
}

/**
 * Messages of actors and topics travel to and from every thread, so the smallest ring of all pools bounds them. Null: no pool sets a size.
 */
export function smallestRing(pools: unknown): SmallestRing | null {
  let smallest: SmallestRing | null = null;
  for (const [name, pool] of membersOf(pools)) {
    const bytes = memberOf(pool, 'ringBytes');
    if (typeof bytes !== 'number' || (smallest !== null && smallest.bytes <= bytes)) continue;
    smallest = { bytes, where: childPath(childPath('$.pools', name), 'ringBytes') };
  }
  return smallest;
}
