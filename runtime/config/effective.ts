/**
 * The source of each value of a configuration: a default, the file and its line, a flag, a variable, or a change while the server ran. Values
 * are shown as a file would have them; possible secrets are hidden.
 */
import { childPath, type JsonSource } from './json-source.ts';

export interface EffectiveValue {
  /** A JSON path into the file: `$.pools.app.threads.min`. */
  readonly where: string;
  readonly value: unknown;
  /** `default`, `file`, `admin`, `createServer`, a flag or a variable. */
  readonly source: string;
  /** Line in the file, from 1. */
  readonly line?: number;
}

/** The origin of a configuration's values, computed on request. */
export interface ConfigOrigin {
  values(): readonly EffectiveValue[];
}

export const HIDDEN = '(hidden)';
/** Values below these paths belong to the application or grant access, so they are hidden. */
const SECRETS = [/^\$\.pools\.[^.[]+\.env\b/];

/**
 * @param output the file's content with every default
 * @param source the file's content without defaults
 * @param instead values that override the file's, or that were computed
 * @param text the source of the file's values: `file`, or the module in its place
 */
export function originOf(
  output: unknown,
  source: JsonSource,
  instead: readonly EffectiveValue[],
  text = 'file',
): ConfigOrigin {
  return {
    values: () => {
      const values = new Map<string, EffectiveValue>();
      for (const [where, value] of leaves('$', output)) {
        const place = source.placeOf(where);
        const from = place === undefined ? { source: 'default' } : { source: text, line: place.line };
        values.set(where, { where, value, ...(text === 'file' ? from : { source: from.source }) });
      }
      return over(values, instead);
    },
  };
}

/** The same with values that were changed while the server ran. */
export function changedOrigin(origin: ConfigOrigin, instead: readonly EffectiveValue[]): ConfigOrigin {
  return {
    values: () => over(new Map(origin.values().map((value) => [value.where, value])), instead),
  };
}

/** The same for a configuration that is not a file. */
export function renamedOrigin(origin: ConfigOrigin, source: string): ConfigOrigin {
  return {
    values: () =>
      origin
        .values()
        .map(({ line: _, ...value }) => (value.source === 'file' ? { ...value, source } : value)),
  };
}

function over(
  values: Map<string, EffectiveValue>,
  instead: readonly EffectiveValue[],
): readonly EffectiveValue[] {
  for (const value of instead) {
    values.set(value.where, value);
    // `threads: 4` is shown as min and max.
    values.delete(value.where.replace(/\.[^.]+$/, ''));
  }
  return [...values.values()].map(hide).toSorted(byPlace);
}

function hide(value: EffectiveValue): EffectiveValue {
  return SECRETS.some((secret) => secret.test(value.where)) ? { ...value, value: HIDDEN } : value;
}

const collator = new Intl.Collator('en', { numeric: true });

function byPlace(one: EffectiveValue, other: EffectiveValue): number {
  return collator.compare(one.where, other.where);
}

/** Descends into objects and arrays of objects; everything else counts as one value. */
function* leaves(where: string, value: unknown): Generator<[where: string, value: unknown]> {
  if (value === undefined) return;
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null)) {
    for (const [index, item] of value.entries()) yield* leaves(childPath(where, index), item);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) yield* leaves(childPath(where, key), member);
  } else yield [where, value];
}
