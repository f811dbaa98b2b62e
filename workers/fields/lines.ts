/**
 * All lines of one field as received. For code whose RFC defines what a repeated singleton means, so that
 * `all` must not throw.
 */
import type { Fields } from '../gateway.ts';

/** @param name lower-case */
export function linesOf(fields: Fields, name: string): string[] {
  const values: string[] = [];
  for (const [each, value] of fields) if (each === name) values.push(value);
  return values;
}
