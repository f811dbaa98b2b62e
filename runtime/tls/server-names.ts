/** Which of several is meant by a server name (RFC 6066 section 3): an exact name before a wildcard. */

export class ServerNames<Value> {
  readonly #exact = new Map<string, Value>();
  /** By what stands behind the star, its dot included. */
  readonly #wildcards = new Map<string, Value>();

  /** The first that is added for a name keeps it. */
  add(name: string, value: Value): void {
    const isWildcard = name.startsWith('*.');
    const names = isWildcard ? this.#wildcards : this.#exact;
    const key = isWildcard ? name.slice(1) : name;
    if (!names.has(key)) names.set(key, value);
  }

  /** A star stands for one label and no more (RFC 6125 section 6.4.3). */
  find(servername: string): Value | undefined {
    const name = servername.toLowerCase();
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#wildcards.get(name.slice(dot)) : undefined;
  }
}
