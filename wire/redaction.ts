/** What must not stand in a log, by the names that it goes by: members of objects, and parameters of a query. */

export const REDACTED = '[redacted]';
/** Whoever nests deeper hides nothing that anybody would look for. */
const MOST_LEVELS = 16;

export class Redaction {
  readonly #names: ReadonlySet<string>;

  /** @param names case does not matter */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
  }

  get isNothing(): boolean {
    return this.#names.size === 0;
  }

  /** `a=1&token=[redacted]`: of what stands behind the question mark, or of a whole reference with one. */
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

  /** Takes the values of such members out of what JSON has been read to. @returns whether there were any */
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

/** Spelled in octets it is the same name to whoever reads the query. */
function plain(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // No octets of any text: nobody knows it by another name.
    return name;
  }
}
