/**
 * Limits how often a kind of event is logged, because peers choose how often it happens: at most once in `intervalMs` for each kind. Events
 * that are left out are counted; the next line, or a line at the end of the interval, shows the count.
 */

interface Told {
  atMs: number;
  suppressed: number;
}

export class LimitedLines<Kind> {
  readonly #intervalMs: number;
  /** At most one entry for each kind. */
  readonly #told = new Map<Kind, Told>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** An event has happened. @returns how many were left out since the last line; null: this one is left out too */
  add(kind: Kind, nowMs: number): number | null {
    const told = this.#told.get(kind);
    if (told !== undefined && nowMs - told.atMs < this.#intervalMs) {
      told.suppressed++;
      return null;
    }
    this.#told.set(kind, { atMs: nowMs, suppressed: 0 });
    return told?.suppressed ?? 0;
  }

  /** Kinds whose interval is over, with the number of events that were left out and had no further line; each is returned once. */
  *leftOut(nowMs: number): Generator<readonly [kind: Kind, suppressed: number]> {
    for (const [kind, { atMs, suppressed }] of this.#told) {
      if (nowMs - atMs < this.#intervalMs) continue;
      this.#told.delete(kind);
      if (suppressed > 0) yield [kind, suppressed];
    }
  }
}
