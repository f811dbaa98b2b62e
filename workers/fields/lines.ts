/** All lines of one field as received, for fields whose rules say what to do with a repeated singleton. */
import type { Fields } from '../gateway.ts';

/** @param name lower-case */
export function linesOf(fields: Fields, name: string): string[] {
  const values: string[] = [];
  for (const [each, value] of fields) if (each === name) values.push(value);
  return values;
}
