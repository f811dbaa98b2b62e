/**
 * Fields to be sent, for middleware that changes them: takes any form of `FieldsInit` and is itself iterable.
 */
import { HostError } from '../exchange/errors.ts';
import { fieldKey, requirePair, valueInvalid } from '../exchange/values.ts';
import type { FieldsInit, FieldValue } from '../gateway.ts';

type Line = readonly [name: string, value: FieldValue];

/**
 * An ordered list of field lines, itself a `FieldsInit`. Nothing is validated here: invalid fields are
 * refused where the list is sent.
 */
export class FieldList implements Iterable<Line> {
  #lines: Line[] = [];

  /** @throws GatewayError `SLUICE_VALUE_INVALID` */
  constructor(init: FieldsInit = {}) {
    if (typeof init !== 'object' || init === null) throw valueInvalid('fields', init);
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<Line>) {
        requirePair(pair);
        this.append(pair[0], pair[1]);
      }
      return;
    }
    for (const [name, value] of Object.entries(init)) {
      if (Array.isArray(value)) for (const one of value) this.append(name, one);
      else this.append(name, value as FieldValue);
    }
  }

  /**
   * The single value of a field as text, or undefined.
   * @throws GatewayError `SLUICE_FIELD_REPEATED` if there are several; use `all`
   */
  get(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1) {
      throw new HostError(
        'SLUICE_FIELD_REPEATED',
        `expected at most one '${name}' field, got ${values.length}; use all('${name}')`,
      );
    }
    return values[0];
  }

  /** Every value of a field as text, in order. */
  all(name: string): string[] {
    const key = fieldKey(name);
    return this.#lines.filter(([each]) => each === key).map(([, value]) => textOf(value));
  }

  has(name: string): boolean {
    const key = fieldKey(name);
    return this.#lines.some(([each]) => each === key);
  }

  /** Replaces every line of that name, in the place of the first. */
  set(name: string, value: FieldValue): this {
    const key = fieldKey(name);
    const at = this.#lines.findIndex(([each]) => each === key);
    if (at === -1) return this.append(name, value);
    this.#lines = this.#lines.filter(([each], i) => i <= at || each !== key);
    this.#lines[at] = [key, value];
    return this;
  }

  append(name: string, value: FieldValue): this {
    this.#lines.push([fieldKey(name), value]);
    return this;
  }

  /** Adds a member to a list field, such as `vary`, unless the list already contains it in any case. */
  add(name: string, member: string): this {
    const members = this.all(name).flatMap((value) => value.split(','));
    const isThere = members.some((each) => each.trim().toLowerCase() === member.toLowerCase());
    return isThere ? this : this.append(name, member);
  }

  delete(name: string): this {
    const key = fieldKey(name);
    this.#lines = this.#lines.filter(([each]) => each !== key);
    return this;
  }

  [Symbol.iterator](): Iterator<Line> {
    return this.#lines[Symbol.iterator]();
  }
}

function textOf(value: FieldValue): string {
  return String(typeof value === 'object' && value !== null ? value.value : value);
}
