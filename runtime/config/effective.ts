/**
 * Where each value of a configuration came from: a default, the file and its line, a flag or variable, or whoever changed it while the
 * server ran. Values are those that a file would say; what may be a secret is hidden.
 */
import { childPath, type JsonSource } from './json-source.ts';

export interface EffectiveValue {
  /** A JSON path into the file: `$.pools.app.threads.min`. */
  readonly where: string;
  readonly value: unknown;
  /** `default`, `file`, `admin`, `createServer`, a flag or a variable. */
  readonly source: string;
  /** In the file, from 1. */
  readonly line?: number;
}

/** What a configuration knows of its origin. It is worked out when somebody asks. */
export interface ConfigOrigin {
  values(): readonly EffectiveValue[];
}

export const HIDDEN = '(hidden)';
/** Values below these places are the application's own, or open something. */
const SECRETS = [/^\$\.pools\.[^.[]+\.env\b/];

/**
 * @param output the file's content with every default
 * @param source the file's content as it stands
 * @param instead values that stand over the file's, or that were worked out
 * @param text what the file's values come from: `file`, or the module that stands in its place
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

/** The same with values that somebody has changed while the server ran. */
export function changedOrigin(origin: ConfigOrigin, instead: readonly EffectiveValue[]): ConfigOrigin {
  return {
    values: () => over(new Map(origin.values().map((value) => [value.where, value])), instead),
  };
}

/** The same for a configuration that is no file. */
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
    // `threads: 4` is told of as its two ends.
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

/** Objects, and arrays of objects, are gone through; whatever else there is is one value. */
function* leaves(where: string, value: unknown): Generator<[where: string, value: unknown]> {
  if (value === undefined) return;
  if (Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null)) {
    for (const [index, item] of value.entries()) yield* leaves(childPath(where, index), item);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) yield* leaves(childPath(where, key), member);
  } else yield [where, value];
}
