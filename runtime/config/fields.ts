/**
 * The few shapes that configuration values take. Each carries what it expects as a phrase (the schema's
 * `message`), which errors show and never "Invalid input", and its description, which the JSON Schema shows.
 */

import * as v from 'valibot';

export interface NumberField<Default extends number | undefined> {
  readonly from: number;
  readonly to: number;
  /** Absent if the default is not a number. */
  readonly byDefault: Default;
}

/** A whole number within bounds. */
export function wholeNumber<const Default extends number | undefined>(
  description: string,
  { from, to, byDefault }: NumberField<Default>,
) {
  return v.optional(requiredNumber(description, { from, to }), byDefault);
}

/** The same without a default. */
export function requiredNumber(
  description: string,
  { from, to }: { readonly from: number; readonly to: number },
) {
  const expected = `a whole number from ${from} to ${to}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(from, expected),
    v.maxValue(to, expected),
    v.description(description),
  );
}

/** One of a few values. */
export function oneOf<const Value extends string | number>(
  description: string,
  values: readonly Value[],
  byDefault: NoInfer<Value>,
  expected = values.map((value) => JSON.stringify(value)).join(', '),
) {
  return v.optional(v.pipe(v.picklist(values, expected), v.description(description)), byDefault);
}

export function flag(description: string, byDefault: boolean) {
  return v.optional(v.pipe(v.boolean('true or false'), v.description(description)), byDefault);
}

/** An object that may be omitted, because each of its members may. */
export function section<const Entries extends v.ObjectEntries>(description: string, entries: Entries) {
  const value = v.pipe(v.strictObject(entries, 'an object'), v.description(description));
  // Every member is optional, so the empty object is valid input; only the compiler cannot see it here.
  return v.optional(value, {} as v.InferInput<typeof value>);
}
