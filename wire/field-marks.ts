/**
 * Marks on field names in a flat list: how HPACK may code the value (RFC 7541 section 6.2). A mark is one character in front of the
 * name that no name can have, so that unmarked fields cost nothing, and a plain name is never taken for a marked one.
 */

export const FieldMark = {
  /** Never indexed, here or by anybody on the way (section 7.1.3). */
  Never: '\u0001',
  /** Worth an entry in the table at once. */
  Prefer: '\u0002',
} as const;
export type FieldMark = (typeof FieldMark)[keyof typeof FieldMark];

export function isMarked(name: string): boolean {
  const code = name.charCodeAt(0);
  return code === 1 || code === 2;
}

export function plainName(name: string): string {
  return isMarked(name) ? name.slice(1) : name;
}
