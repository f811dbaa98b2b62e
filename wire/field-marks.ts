/**
 * Marks on field names in a flat list. A mark says how HPACK may encode the value (RFC 7541 section 6.2). It
 * is one character before the name that no name can contain. So unmarked fields cost nothing, and a plain
 * name is never mistaken for a marked one.
 */

export const FieldMark = {
  /** Never indexed, neither here nor by any intermediary (section 7.1.3). */
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
