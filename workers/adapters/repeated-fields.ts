/**
 * Recognises heads that a handler sends again. An adapter gets each head as a new list, but the gateway checks and encodes a frozen list
 * only once. A list that equals an earlier one is therefore replaced by the earlier one, frozen.
 */
import { FlatFields } from '../fields/flat.ts';

/** A power of two. The routes of one application use a small number of heads. */
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

  /** A list is frozen when it comes a second time. Later lists are compared with the frozen copy, which nobody can change. */
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
  // Values differ more often than names, and the last ones more often than the first.
  for (let i = length - 1; i >= 0; i--) if (one[i] !== other[i]) return false;
  return true;
}
