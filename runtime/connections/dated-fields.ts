/**
 * A response's fields with the Date that the server adds (RFC 9110 section 6.6.1). Applications that answer with the same fields again do so with
 * one frozen list, and for a second at a time what is sent is one list as well, which connections know again.
 */

/** What is sent, and what it says of itself. */
export interface DatedFields {
  readonly date: string;
  readonly fields: readonly string[];
  /** Value of the `priority` field (RFC 9218 section 5); null: there is none. */
  readonly priority: string | null;
}

const dated = new WeakMap<readonly string[], DatedFields>();

export function withDate(fields: readonly string[], date: string): DatedFields {
  const known = dated.get(fields);
  if (known !== undefined && known.date === date) return known;
  let hasDate = false;
  let priority: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'date') hasDate = true;
    else if (fields[i] === 'priority') priority = fields[i + 1] as string;
  }
  const made = { date, fields: hasDate ? fields : [...fields, 'date', date], priority };
  if (Object.isFrozen(fields)) {
    Object.freeze(made.fields);
    dated.set(fields, made);
  }
  return made;
}
