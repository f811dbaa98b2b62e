/** Checks the fields of a response and lays them out flat, so that everything a thread sends is valid on every protocol version. */
import { FieldMark, isMarked, plainName } from '../../wire/field-marks.ts';
import { HostError } from '../exchange/errors.ts';
import { nameOf, requirePair, valueInvalid } from '../exchange/values.ts';
import type { FieldsInit, MarkedValue } from '../gateway.ts';
import { FlatFields } from './flat.ts';
import { isSingleton } from './registry.ts';

/** RFC 9110 section 5.6.2 `token`. Upper case is allowed and lowered. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5: visible characters and obs-text, with space and tab inside. Header injection needs CR, LF or NUL. */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Fields of one connection (RFC 9113 section 8.2.2). Only the reactor sets them. */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const EMPTY: readonly string[] = Object.freeze([]);

/** Flat lists of frozen field objects. An application that sends the same head every time is checked once. */
const frozen = new WeakMap<object, readonly string[]>();

/**
 * Checks fields to send and lays them out flat.
 * @throws HostError `SLUICE_VALUE_INVALID`, `SLUICE_FIELD_INVALID`, `SLUICE_FIELD_REPEATED`
 */
export function flatten(init: FieldsInit | undefined): readonly string[] {
  if (init === undefined) return EMPTY;
  if (typeof init !== 'object' || init === null) throw noFields(init);
  const known = frozen.get(init);
  if (known !== undefined) return known;

  const flat: string[] = [];
  if (init instanceof FlatFields) {
    for (let i = 0; i < init.flat.length; i += 2) {
      const name = init.flat[i] as string;
      append(flat, plainName(name), init.flat[i + 1] as string, isMarked(name) ? name.slice(0, 1) : '');
    }
    if (Object.isFrozen(init.flat)) frozen.set(init, Object.freeze(flat));
  } else if (Symbol.iterator in init) {
    appendPairs(flat, init as Iterable<unknown>);
  } else {
    const names = Object.keys(init);
    if (names.length === 0 && !isBareObject(init)) throw noFields(init);
    for (const name of names) {
      const value = (init as { [name: string]: unknown })[name];
      if (Array.isArray(value)) for (const one of value) append(flat, name, one);
      else append(flat, name, value);
    }
    if (isDeepFrozen(init)) frozen.set(init, Object.freeze(flat));
  }
  return flat;
}

function appendPairs(flat: string[], pairs: Iterable<unknown>): void {
  // Bytes iterate over numbers, which are no pairs, and a detached buffer's iterator throws an error without a code.
  if (typeof pairs[Symbol.iterator] !== 'function' || ArrayBuffer.isView(pairs)) throw noFields(pairs);
  for (const pair of pairs) {
    requirePair(pair);
    append(flat, (pair as readonly unknown[])[0], (pair as readonly unknown[])[1]);
  }
}

function noFields(init: unknown): HostError {
  return valueInvalid('fields, as an object of names and values or in pairs of them', init);
}

/** An object without members may be no fields at all: a promise, a Date, an ArrayBuffer. */
function isBareObject(init: object): boolean {
  return (
    Object.getPrototypeOf(init) === Object.prototype ||
    Object.prototype.toString.call(init) === '[object Object]'
  );
}

/** Fields are at most an object of lists of marked values, so deeper levels do not matter. */
const LEVELS = 3;

/** Whether the values stay the same. A getter could return another value the next time. */
function isDeepFrozen(value: unknown, levels = LEVELS): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0 || !Object.isFrozen(value)) return false;
  return Object.values(Object.getOwnPropertyDescriptors(value)).every(
    (member) => member.get === undefined && isDeepFrozen(member.value, levels - 1),
  );
}

function append(flat: string[], name: unknown, init: unknown, givenMark = ''): void {
  if (typeof name !== 'string') throw valueInvalid('a name of a field, a string', name);
  if (!NAME.test(name)) {
    throw new HostError('SLUICE_FIELD_INVALID', `expected a token as field name, got ${nameOf(name)}`);
  }
  const lower = name.toLowerCase();
  if (CONNECTION_SPECIFIC.has(lower)) {
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `'${lower}' belongs to the connection, which the server owns: leave it out`,
    );
  }
  const isMarkedValue = typeof init === 'object' && init !== null && 'value' in init;
  const text = textOf(lower, isMarkedValue ? init.value : init);
  const mark = isMarkedValue ? markOf((init as Partial<MarkedValue>).indexing) : givenMark;
  if (!VALUE.test(text)) {
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `expected visible characters in the value of '${lower}' (no control characters, nothing above U+00FF, no white space around it), got ${nameOf(text)}`,
    );
  }
  if (isSingleton(lower) && carries(flat, lower)) {
    throw new HostError(
      'SLUICE_FIELD_REPEATED',
      `expected at most one '${lower}' field, of which two recipients could take different values`,
    );
  }
  flat.push(mark === '' || FOR_THE_SERVER.has(lower) ? lower : mark + lower, text);
}

/** @throws HostError `SLUICE_VALUE_INVALID` */
function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw valueInvalid(`a string or a finite number as the value of '${name}'`, value);
}

/** The server reads these fields itself, and none of them is secret, so they need no mark. */
const FOR_THE_SERVER = new Set(['content-length', 'date', 'priority', 'trailer']);

/** @throws HostError `SLUICE_FIELD_INVALID` */
function markOf(indexing: unknown): string {
  if (indexing === 'never') return FieldMark.Never;
  if (indexing === 'prefer') return FieldMark.Prefer;
  throw new HostError(
    'SLUICE_FIELD_INVALID',
    `expected indexing 'never' or 'prefer', got ${nameOf(indexing)}`,
  );
}

function carries(flat: readonly string[], name: string): boolean {
  for (let i = 0; i < flat.length; i += 2) if (plainName(flat[i] as string) === name) return true;
  return false;
}

/**
 * Fields that frame, route or type a message, which must not come after its body (RFC 9110 section 6.5.1). A recipient that merges them
 * into the header section would read another message than the one that was sent.
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
 * Checks and lays out the fields of a trailer section.
 * @throws HostError `SLUICE_FIELD_INVALID`
 */
export function flattenTrailers(init: FieldsInit | undefined): readonly string[] {
  const flat = flatten(init);
  for (let i = 0; i < flat.length; i += 2) {
    if (!NOT_IN_TRAILERS.has(plainName(flat[i] as string))) continue;
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `'${plainName(flat[i] as string)}' says what must be known before the body: send it with respond()`,
    );
  }
  return flat;
}

/** Lists that lacked a content-length, with the length added. A frozen list is often sent again with the same length. */
const lengthened = new WeakMap<
  readonly string[],
  { readonly length: number; readonly flat: readonly string[] }
>();

export function withContentLength(flat: readonly string[], length: number): readonly string[] {
  const known = lengthened.get(flat);
  if (known?.length === length) return known.flat;
  const list = [...flat, 'content-length', String(length)];
  // If lengths differ between responses, keeping the lists gains nothing.
  if (known === undefined && Object.isFrozen(flat))
    lengthened.set(flat, { length, flat: Object.freeze(list) });
  return list;
}

/** Content-length of frozen lists that have been read before. */
const contentLengths = new WeakMap<readonly string[], number>();

/** The one `content-length` in a flat list; -1 when absent. */
export function contentLengthOf(flat: readonly string[]): number {
  const known = contentLengths.get(flat);
  if (known !== undefined) return known;
  const length = readContentLength(flat);
  if (flat.length > 0 && Object.isFrozen(flat)) contentLengths.set(flat, length);
  return length;
}

/** @throws HostError if an interim response has a content-length (RFC 9110 section 8.6) */
export function requireNoContentLength(flat: readonly string[]): void {
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] !== 'content-length') continue;
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      'expected no content-length in an interim response, which has no content (RFC 9110 section 8.6)',
    );
  }
}

function readContentLength(flat: readonly string[]): number {
  let length = -1;
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] !== 'content-length') continue;
    const text = flat[i + 1] as string;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
    if (value === -1 || length !== -1) {
      throw new HostError('SLUICE_FIELD_INVALID', `expected one decimal content-length, got ${nameOf(text)}`);
    }
    length = value;
  }
  return length;
}
