/** Field names in lower case. An application uses few names, and the same ones in each response, so each is checked once. */

/** Of more names, those that come later are checked each time. */
const MAX_NAMES = 256;

export class LowerNames {
  readonly #known = new Map<string, string>();
  readonly #isValid: (name: string) => boolean;

  /** @param isValid may throw instead */
  constructor(isValid: (name: string) => boolean) {
    this.#isValid = isValid;
  }

  /** Null if the name is not valid. */
  of(name: string): string | null {
    return this.#known.get(name) ?? this.#new(name);
  }

  #new(name: string): string | null {
    if (!this.#isValid(name)) return null;
    const lower = name.toLowerCase();
    if (this.#known.size < MAX_NAMES) this.#known.set(name, lower);
    return lower;
  }
}
