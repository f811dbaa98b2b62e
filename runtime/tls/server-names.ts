/** Finds the value for a server name (RFC 6066 section 3): an exact name goes before a wildcard. */

export class ServerNames<Value> {
  readonly #exact = new Map<string, Value>();
  /** Keyed by what follows the star, including its dot. */
  readonly #wildcards = new Map<string, Value>();

  /** If a name is added twice, the first value stays. */
  add(name: string, value: Value): void {
    const isWildcard = name.startsWith('*.');
    const names = isWildcard ? this.#wildcards : this.#exact;
    const key = isWildcard ? name.slice(1) : name;
    if (!names.has(key)) names.set(key, value);
  }

  /** A star matches exactly one label (RFC 6125 section 6.4.3). */
  find(servername: string): Value | undefined {
    const name = servername.toLowerCase();
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#wildcards.get(name.slice(dot)) : undefined;
  }
}
