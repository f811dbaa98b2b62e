/**
 * A response's fields with the Date that the server adds (RFC 9110 section 6.6.1). An application that
 * responds with the same fields again uses one frozen list. For that list and one second, the result is one
 * list as well, which connections recognise.
 */

/** The list to send, and what it contains. */
export interface DatedFields {
  readonly date: string;
  readonly fields: readonly string[];
  /** Value of the `priority` field (RFC 9218 section 5); null: absent. */
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
