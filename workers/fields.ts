/**
 * Fields on the application's side: received ones are read in place from the flat list they travelled in,
 * ones to send are checked here, so that what leaves a thread is valid on every protocol version.
 */
import { HostError } from './errors.ts';
import type { Fields, FieldsInit } from './gateway.ts';

/** RFC 9110 section 5.6.2 `token`, upper case allowed: it is lowered. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5: visible characters, obs-text, space and tab inside. CR, LF and NUL are what injection needs. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Fields that belong to one connection (RFC 9113 section 8.2.2): the reactor alone decides on them. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const EMPTY: readonly string[] = Object.freeze([]);

/** Received fields over a flat list: name, value, name, value… with lower-case names. */
export class ReceivedFields implements Fields {
  readonly #flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.#flat = flat;
  }

  get(name: string): string | undefined {
    const key = name.toLowerCase();
    const flat = this.#flat;
    let found: string | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] !== key) continue;
      if (found !== undefined) {
        throw new HostError(
          'SLUICE_FIELD_REPEATED',
          `expected at most one '${key}' field, the message carries ${this.all(key).length}; use all('${key}') for a field that may repeat`,
        );
      }
      found = flat[i + 1];
    }
    return found;
  }

  all(name: string): readonly string[] {
    const key = name.toLowerCase();
    const flat = this.#flat;
    let values: string[] | undefined;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === key) (values ??= []).push(flat[i + 1] as string);
    }
    return values ?? EMPTY;
  }

  has(name: string): boolean {
    const key = name.toLowerCase();
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

/** Flat lists of frozen field objects: an application that sends the same head every time is checked once. */
const frozen = new WeakMap<object, readonly string[]>();

/**
 * Checks fields to send and lays them out flat.
 * @throws HostError `SLUICE_FIELD_INVALID`
 */
export function flatten(init: FieldsInit | undefined): readonly string[] {
  if (init === undefined) return EMPTY;
  const known = frozen.get(init);
  if (known !== undefined) return known;

  const flat: string[] = [];
  if (Symbol.iterator in init) {
    for (const pair of init as Iterable<readonly [string, string]>) append(flat, pair[0], pair[1]);
  } else {
    for (const name of Object.keys(init)) {
      const value = (init as { [name: string]: string | number | readonly string[] })[name];
      if (typeof value === 'object' && value !== null) for (const one of value) append(flat, name, one);
      else append(flat, name, value as string | number);
    }
    if (Object.isFrozen(init) && isDeepFrozen(init)) frozen.set(init, Object.freeze(flat));
  }
  return flat;
}

function isDeepFrozen(init: object): boolean {
  return Object.values(init).every((value) => typeof value !== 'object' || Object.isFrozen(value));
}

function append(flat: string[], name: string, value: string | number): void {
  const text = typeof value === 'number' ? String(value) : value;
  if (!NAME.test(name)) {
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `expected a token as field name, got ${JSON.stringify(name)}`,
    );
  }
  const lower = name.toLowerCase();
  if (CONNECTION_SPECIFIC.has(lower)) {
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `'${lower}' belongs to the connection, which the server owns: leave it out`,
    );
  }
  // The test would take undefined for the word.
  if (typeof text !== 'string' || !VALUE.test(text)) {
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `expected visible characters in the value of '${lower}' (no control characters, nothing above U+00FF, no white space around it), got ${String(JSON.stringify(text)).slice(0, 200)}`,
    );
  }
  flat.push(lower, text);
}

/**
 * Fields that frame, route or type a message whose body has gone (RFC 9110 section 6.5.1). A recipient that merges them into
 * the header section would read another message than was sent.
 */
const NOT_IN_TRAILERS = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'set-cookie',
  'trailer',
]);

/**
 * The same for a trailer section.
 * @throws HostError `SLUICE_FIELD_INVALID`
 */
export function flattenTrailers(init: FieldsInit | undefined): readonly string[] {
  const flat = flatten(init);
  for (let i = 0; i < flat.length; i += 2) {
    if (!NOT_IN_TRAILERS.has(flat[i] as string)) continue;
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `'${flat[i]}' says what must be known before the body: send it with respond()`,
    );
  }
  return flat;
}

/** The one `content-length` in a flat list; -1 when absent. */
export function contentLengthOf(flat: readonly string[]): number {
  let length = -1;
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] !== 'content-length') continue;
    const text = flat[i + 1] as string;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
    if (value === -1 || length !== -1) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        `expected one decimal content-length, got ${JSON.stringify(text)}`,
      );
    }
    length = value;
  }
  return length;
}
