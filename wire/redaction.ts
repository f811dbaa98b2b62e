/** Keeps secrets out of logs by their names: members of objects, and parameters of a query. */

export const REDACTED = '[redacted]';
/** A value nested deeper is not checked: secrets are not expected there. */
const MOST_LEVELS = 16;

export class Redaction {
  readonly #names: ReadonlySet<string>;

  /** @param names matched without regard to case */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
  }

  get isNothing(): boolean {
    return this.#names.size === 0;
  }

  /**
   * Redacts a query as in `a=1&token=[redacted]`. The text is what follows the question mark, or a whole
   * reference that contains one.
   */
  query(text: string): string {
    if (this.isNothing || !text.includes('=')) return text;
    const start = text.indexOf('?') + 1;
    const pairs = text.slice(start).split('&');
    let isChanged = false;
    for (const [index, pair] of pairs.entries()) {
      const end = pair.indexOf('=');
      if (end === -1 || !this.#names.has(plain(pair.slice(0, end)).toLowerCase())) continue;
      pairs[index] = `${pair.slice(0, end)}=${REDACTED}`;
      isChanged = true;
    }
    return isChanged ? text.slice(0, start) + pairs.join('&') : text;
  }

  /**
   * Replaces the values of such members in a parsed JSON value.
   * @returns whether there were any
   */
  members(value: unknown, levels = MOST_LEVELS): boolean {
    if (this.isNothing || typeof value !== 'object' || value === null || levels === 0) return false;
    let isChanged = false;
    const members = value as Record<string, unknown>;
    for (const name of Object.keys(members)) {
      if (!Array.isArray(value) && this.#names.has(name.toLowerCase())) {
        members[name] = REDACTED;
        isChanged = true;
      } else if (this.members(members[name], levels - 1)) isChanged = true;
    }
    return isChanged;
  }
}

/** A reader of the query decodes a percent-encoded name to the same name. */
function plain(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // The octets are not valid text, so no other spelling of the name exists.
    return name;
  }
}
