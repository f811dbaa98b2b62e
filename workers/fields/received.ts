/** Received fields, read in place from the flat list in which they were sent. */
import { HostError } from '../exchange/errors.ts';
import { fieldKey } from '../exchange/values.ts';
import type { Fields } from '../gateway.ts';
import { elementsOf, isList, isSingleton } from './registry.ts';

const EMPTY: readonly string[] = Object.freeze([]);

/** Received fields over a flat list: name, value, name, value… with lower-case names. */
export class ReceivedFields implements Fields {
  readonly #flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.#flat = flat;
  }

  /** Any fields as a flat list. For fields of this class it is their own list, which the caller must not change. */
  static flat(fields: Fields): readonly string[] {
    if (#flat in fields) return fields.#flat;
    return [...(fields as Fields)].flat();
  }

  get(name: string): string | undefined {
    const key = fieldKey(name);
    const flat = this.#flat;
    let found: string | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== key) continue;
      if (found !== undefined) {
        throw repeated(key, this.#values(key).length, !isSingleton(key));
      }
      found = flat[i + 1];
    }
    return found;
  }

  all(name: string): readonly string[] {
    const key = fieldKey(name);
    const values = this.#values(key);
    if (values.length > 1 && isSingleton(key)) throw repeated(key, values.length, false);
    return values;
  }

  list(name: string): readonly string[] {
    const key = fieldKey(name);
    if (!isList(key)) throw notAList(key);
    const values = this.#values(key);
    return values.length === 0 ? EMPTY : values.flatMap(elementsOf);
  }

  joined(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1 && !isList(fieldKey(name))) throw notAList(fieldKey(name));
    return values.length === 0 ? undefined : values.join(', ');
  }

  #values(key: string): readonly string[] {
    const flat = this.#flat;
    let values: string[] | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === key) (values ??= []).push(flat[i + 1] as string);
    }
    return values ?? EMPTY;
  }

  has(name: string): boolean {
    const key = fieldKey(name);
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === key) return true;
    return false;
  }

  get size(): number {
    return this.#flat.length >>> 1;
  }

  *[Symbol.iterator](): Iterator<[name: string, value: string]> {
    const flat = this.#flat;
    for (let i = 0; i < flat.length; i += 2) yield [flat[i] as string, flat[i + 1] as string];
  }
}

function repeated(key: string, count: number, mayRepeat: boolean): HostError {
  const hint = mayRepeat
    ? `; use all('${key}'), list('${key}') or joined('${key}') for a field that may repeat`
    : ', and no two readers need take the same';
  return new HostError(
    'SLUICE_FIELD_REPEATED',
    `expected at most one '${key}' field, the message carries ${count}${hint}`,
  );
}

function notAList(key: string): HostError {
  return new HostError(
    'SLUICE_FIELD_NOT_A_LIST',
    `expected the name of a list field (RFC 9110 section 5.6.1), got '${key}'; use all('${key}') or get('${key}')`,
  );
}
