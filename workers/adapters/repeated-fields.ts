/**
 * Heads that a handler gives again and again. An adapter gets them as new objects each time; a gateway judges and encodes a frozen list
 * once. So a list that is as an earlier one was becomes that one.
 */
import { FlatFields } from '../fields/flat.ts';

/** A power of two. Routes of one application answer with some heads in turn. */
const ENTRIES = 16;

export class RepeatedFields {
  readonly #lists: (readonly string[] | undefined)[] = new Array(ENTRIES).fill(undefined);
  readonly #fields: (FlatFields | null)[] = new Array(ENTRIES).fill(null);

  of(flat: readonly string[]): FlatFields {
    const entry = entryOf(flat);
    const known = this.#lists[entry];
    if (known !== undefined && areSame(known, flat)) {
      return (this.#fields[entry] ??= this.#freeze(entry, flat));
    }
    this.#lists[entry] = flat;
    this.#fields[entry] = null;
    return new FlatFields(flat);
  }

  /** Only what comes back is worth it. Later lists are compared with the frozen one, since nobody can change that. */
  #freeze(entry: number, flat: readonly string[]): FlatFields {
    const frozen = Object.freeze([...flat]);
    this.#lists[entry] = frozen;
    return new FlatFields(frozen);
  }
}

function entryOf(flat: readonly string[]): number {
  let lengths = flat.length;
  for (let i = 1; i < flat.length; i += 2) lengths = (lengths * 31 + flat[i].length) | 0;
  return lengths & (ENTRIES - 1);
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  const { length } = one;
  if (length !== other.length) return false;
  // Values differ sooner than names, and the last ones sooner than the first.
  for (let i = length - 1; i >= 0; i--) if (one[i] !== other[i]) return false;
  return true;
}
