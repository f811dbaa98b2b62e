/**
 * Keeps the marks on fields of a native application (docs/sgi.md, rule 6.6) while its head passes through a layer that cannot carry them.
 * A field that leaves the layer unchanged gets its mark back.
 */
import { isMarked, plainName } from '../../wire/field-marks.ts';
import type { Exchange } from '../gateway.ts';

/** The marked name by name and value. Few applications mark fields, so most exchanges have no entry. */
const kept = new WeakMap<Exchange, Map<string, string>>();

const keyOf = (name: string, value: string) => `${name}:${value}`;

export function keepMarks(exchange: Exchange, flat: readonly string[]): void {
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    if (!isMarked(name)) continue;
    const marks = kept.get(exchange) ?? new Map<string, string>();
    kept.set(exchange, marks.set(keyOf(plainName(name), flat[i + 1] as string), name));
  }
}

export function hasMarks(exchange: Exchange): boolean {
  return kept.has(exchange);
}

export function putMarksBack(exchange: Exchange, flat: string[]): void {
  const marks = kept.get(exchange);
  if (marks === undefined) return;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    flat[i] = marks.get(keyOf(name, flat[i + 1] as string)) ?? name;
  }
}
