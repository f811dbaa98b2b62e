/**
 * Decodes a payload; see forms.ts.
 *
 * The bytes may be in shared memory that another thread has filled with anything. The decoder reads nothing beyond them, allocates no more
 * elements than there are bytes, and never assigns `__proto__`. Invalid bytes throw a PayloadError, which fails only this message.
 */

import { copyInto } from '../bytes.ts';
import { Extension, Marker, PayloadError, PayloadErrorCode, type PayloadLimits, VIEWS } from './forms.ts';
import { MetObjects } from './met-objects.ts';

const { utf8Slice, ucs2Slice } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  ucs2Slice(this: Uint8Array, start: number, end: number): string;
};

/** The error classes that a structured clone keeps. AggregateError is handled apart, because its constructor differs. */
const ERRORS: ReadonlyMap<string, () => Error> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [
    Class.name,
    () => new Class(),
  ]),
);

/**
 * Caches of property names and of short strings, found by their bytes. A new string would have to be internalized again before it can name
 * a property, and a native call for a few bytes costs more than comparing them.
 */
const KEY_PLACES = 256;
const MOST_KEPT_BYTES = 32;
/** Arrays up to this length are allocated at their length: an array that grows element by element reserves more room than it needs. */
const FEW_ELEMENTS = 16;
const LARGE_BYTES = 4_096;

export class PayloadDecoder {
  #bytes: Buffer = Buffer.alloc(0);
  #position = 0;
  #end = 0;
  #limits!: PayloadLimits;
  #references = 0;
  readonly #objects = new MetObjects();
  readonly #keys = new Array<string | undefined>(KEY_PLACES).fill(undefined);
  readonly #strings = new Array<string | undefined>(KEY_PLACES).fill(undefined);

  /** @throws PayloadError */
  decode(bytes: Buffer, start: number, end: number, limits: PayloadLimits): unknown {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#limits = limits;
    this.#references = 0;
    try {
      const value = this.#value(0);
      if (this.#position !== end) throw invalid('the end of the payload', 'more');
      return value;
    } finally {
      this.#objects.clear();
    }
  }

  #value(depth: number): unknown {
    const form = this.#byte();
    if (form < 0x80) return form;
    if (form < 0x90) return this.#plain(form & 0x0f, depth);
    if (form < 0xa0) return this.#array(form & 0x0f, depth);
    if (form < 0xc0) return this.#keptText(form & 0x1f, this.#strings);
    if (form >= 0xe0) return form - 0x100;
    switch (form) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#unsigned(1));
      case 0xc5:
        return this.#binary(this.#unsigned(2));
      case 0xc6:
        return this.#binary(this.#unsigned(4));
      case 0xc7:
        return this.#extension(this.#unsigned(1));
      case 0xc8:
        return this.#extension(this.#unsigned(2));
      case 0xc9:
        return this.#extension(this.#unsigned(4));
      case 0xcb:
        return this.#double();
      case 0xcc:
        return this.#unsigned(1);
      case 0xcd:
        return this.#unsigned(2);
      case 0xce:
        return this.#unsigned(4);
      case 0xcf:
        return this.#bytes.readBigUInt64BE(this.#take(8));
      case 0xd0:
        return this.#bytes.readInt8(this.#take(1));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return this.#bytes.readBigInt64BE(this.#take(8));
      case 0xd4:
        return this.#fixext1();
      case 0xd6:
        return this.#reference();
      case 0xd7:
        return this.#date();
      case 0xd9:
        return this.#text(this.#unsigned(1));
      case 0xda:
        return this.#text(this.#unsigned(2));
      case 0xdb:
        return this.#text(this.#unsigned(4));
      case 0xdc:
        return this.#array(this.#unsigned(2), depth);
      case 0xdd:
        return this.#array(this.#unsigned(4), depth);
      case 0xde:
        return this.#plain(this.#unsigned(2), depth);
      case 0xdf:
        return this.#plain(this.#unsigned(4), depth);
      default:
        throw invalid('a form of a payload', form);
    }
  }

  #plain(count: number, depth: number): object {
    this.#enter(2 * count, depth);
    const object: Record<string, unknown> = {};
    this.#objects.add(object);
    for (let i = 0; i < count; i++) {
      const key = this.#key();
      if (key === '__proto__') throw invalid('the name of a property', key);
      object[key] = this.#value(depth + 1);
    }
    return object;
  }

  #array(count: number, depth: number): object {
    this.#enter(count, depth);
    if (count > 0 && this.#bytes[this.#position] === 0xd4) {
      const marker = this.#marker();
      if (marker === Marker.Set) return this.#set(count - 1, depth);
      if (marker === Marker.Map) return this.#map(count - 1, depth);
      if (marker === Marker.Error) return this.#error(count - 1, depth);
    }
    const array: unknown[] = count <= FEW_ELEMENTS ? new Array<unknown>(count) : [];
    this.#objects.add(array);
    for (let i = 0; i < count; i++) {
      if (!this.#isHole()) array[i] = this.#value(depth + 1);
    }
    // The array ends in a hole.
    if (array.length < count) array.length = count;
    return array;
  }

  /** -1: the array's first element is something else. */
  #marker(): number {
    if (this.#end - this.#position < 3 || this.#bytes[this.#position + 1] !== Extension.Marker) return -1;
    const marker = this.#bytes[this.#position + 2] as number;
    this.#position += 3;
    if (marker > Marker.Error) throw invalid('a marker', marker);
    return marker;
  }

  #isHole(): boolean {
    const at = this.#position;
    if (this.#bytes[at] !== 0xd4 || this.#bytes[at + 1] !== Extension.Hole) return false;
    this.#take(3);
    return true;
  }

  #set(count: number, depth: number): Set<unknown> {
    const set = new Set<unknown>();
    this.#objects.add(set);
    for (let i = 0; i < count; i++) set.add(this.#value(depth + 1));
    return set;
  }

  #map(count: number, depth: number): Map<unknown, unknown> {
    if (count % 2 !== 0) throw invalid('keys with values', count);
    const map = new Map<unknown, unknown>();
    this.#objects.add(map);
    for (let i = 0; i < count; i += 2) {
      const key = this.#value(depth + 1);
      map.set(key, this.#value(depth + 1));
    }
    return map;
  }

  #error(count: number, depth: number): Error {
    if (count !== 7) throw invalid('an error of seven parts', count);
    const name = this.#key();
    const isAggregate = name === 'AggregateError';
    const error = isAggregate ? new AggregateError([]) : (ERRORS.get(name) ?? (() => new Error()))();
    this.#objects.add(error);
    define(error, 'message', this.#key());
    define(error, 'stack', this.#key());
    if (error.name !== name) define(error, 'name', name);
    const code = this.#value(depth + 1);
    if (typeof code === 'string') (error as { code?: string }).code = code;
    const cause = this.#value(depth + 1);
    if (cause !== undefined) define(error, 'cause', cause);
    const errors = this.#errors(depth);
    if (errors !== null) define(error, 'errors', errors);
    const data = this.#dataCount();
    for (let i = 0; i < data; i++) {
      const key = this.#key();
      if (key === '__proto__') throw invalid('the name of a property', key);
      const value = this.#value(depth + 1);
      Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
    }
    return error;
  }

  /** Reads the `errors` of an error. Neither this list nor the error's data counts among the objects that references can name. */
  #errors(depth: number): unknown[] | null {
    const form = this.#byte();
    if (form === 0xc0) return null;
    if ((form & 0xf0) !== 0x90) throw invalid('a list of errors', form);
    const errors: unknown[] = [];
    for (let i = 0; i < (form & 0x0f); i++) errors.push(this.#value(depth + 1));
    return errors;
  }

  #dataCount(): number {
    const form = this.#byte();
    const count = form === 0xde ? this.#unsigned(2) : form & 0x0f;
    if (form !== 0xde && (form & 0xf0) !== 0x80) throw invalid("an error's data", form);
    if (2 * count > this.#end - this.#position) throw invalid('as many properties as there are bytes', count);
    return count;
  }

  #fixext1(): undefined {
    const type = this.#byte();
    this.#take(1);
    if (type !== Extension.Undefined) throw invalid('undefined', type);
    return undefined;
  }

  #reference(): object {
    if (this.#byte() !== Extension.Reference) throw invalid('a reference', 'another extension');
    const index = this.#unsigned(4);
    if (++this.#references > this.#limits.maxReferences) {
      throw invalid(`at most ${this.#limits.maxReferences} references`, 'more');
    }
    const object = this.#objects.at(index);
    if (object === undefined) throw invalid('a reference to an object met before', index);
    return object;
  }

  #date(): Date {
    if (this.#byte() !== Extension.Date) throw invalid('a date', 'another extension');
    const date = new Date(this.#double());
    this.#objects.add(date);
    return date;
  }

  #binary(length: number): Uint8Array {
    const start = this.#take(length);
    // The whole array is overwritten at once, so a large one need not be zeroed first.
    const bytes =
      length < LARGE_BYTES
        ? new Uint8Array(length)
        : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer);
    copyInto(bytes, 0, this.#bytes, start, start + length);
    this.#objects.add(bytes);
    return bytes;
  }

  #extension(length: number): unknown {
    const type = this.#byte();
    const start = this.#take(length);
    const end = start + length;
    switch (type) {
      case Extension.BigInt: {
        if (length < 2) throw invalid('a bigint', 'nothing');
        const magnitude = BigInt(`0x${this.#bytes.toString('hex', start + 1, end)}`);
        return this.#bytes[start] === 1 ? -magnitude : magnitude;
      }
      case Extension.Utf16:
        if (length % 2 !== 0) throw invalid('UTF-16', 'half a unit');
        return ucs2Slice.call(this.#bytes, start, end);
      case Extension.ArrayBuffer: {
        const buffer = new ArrayBuffer(length);
        copyInto(new Uint8Array(buffer), 0, this.#bytes, start, end);
        this.#objects.add(buffer);
        return buffer;
      }
      case Extension.View:
        return this.#view(start, end);
      default:
        throw invalid('an extension of a payload', type);
    }
  }

  #view(start: number, end: number): ArrayBufferView {
    const View = VIEWS[this.#bytes[start] as number];
    const byteLength = end - start - 1;
    const unit = View !== undefined && 'BYTES_PER_ELEMENT' in View ? View.BYTES_PER_ELEMENT : 1;
    if (View === undefined || byteLength < 0 || byteLength % unit !== 0) throw invalid('a view', 'another');
    const buffer = new ArrayBuffer(byteLength);
    copyInto(new Uint8Array(buffer), 0, this.#bytes, start + 1, end);
    const view = new (View as new (buffer: ArrayBuffer) => ArrayBufferView)(buffer);
    this.#objects.add(view);
    return view;
  }

  #key(): string {
    const form = this.#byte();
    if ((form & 0xe0) === 0xa0) return this.#keptText(form & 0x1f, this.#keys);
    if (form === 0xd9) return this.#text(this.#unsigned(1));
    if (form === 0xda) return this.#text(this.#unsigned(2));
    if (form === 0xdb) return this.#text(this.#unsigned(4));
    // A name with a lone surrogate.
    if (form >= 0xc7 && form <= 0xc9) {
      const key = this.#extension(this.#unsigned(1 << (form - 0xc7)));
      if (typeof key === 'string') return key;
    }
    throw invalid('a string', form);
  }

  #keptText(length: number, known: (string | undefined)[]): string {
    const bytes = this.#bytes;
    const start = this.#position;
    if (length === 0 || length > MOST_KEPT_BYTES) return this.#text(length);
    const place =
      ((bytes[start] as number) * 31 + (bytes[start + length - 1] as number) * 7 + length) & (KEY_PLACES - 1);
    const kept = known[place];
    if (kept !== undefined && kept.length === length && start + length <= this.#end) {
      let i = 0;
      while (i < length && kept.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) {
        this.#position = start + length;
        return kept;
      }
    }
    const key = this.#text(length);
    // A string with characters beyond ASCII can never equal its bytes, so keeping it would only waste the place.
    if (key.length === length) known[place] = key;
    return key;
  }

  #text(length: number): string {
    const start = this.#take(length);
    return length === 0 ? '' : utf8Slice.call(this.#bytes, start, start + length);
  }

  #double(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  #unsigned(size: number): number {
    let at = this.#take(size);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[at++] as number);
    return value;
  }

  /** Returns where the next `bytes` bytes begin, and continues after them. */
  #take(bytes: number): number {
    const start = this.#position;
    if (bytes > this.#end - start)
      throw invalid('a value within the payload', 'one that continues beyond it');
    this.#position = start + bytes;
    return start;
  }

  /** Each element takes at least one byte, so a valid count never exceeds the remaining bytes. */
  #enter(elements: number, depth: number): void {
    if (depth >= this.#limits.maxDepth) throw invalid(`a depth of at most ${this.#limits.maxDepth}`, 'more');
    if (elements > this.#end - this.#position) {
      throw invalid('as many elements as there are bytes', elements);
    }
  }
}

/** Defines the property as constructors do: not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}

function invalid(expected: string, got: unknown): PayloadError {
  return new PayloadError(
    PayloadErrorCode.Invalid,
    '',
    `payload: expected ${expected}, got ${typeof got === 'number' ? got : String(got).slice(0, 64)}`,
  );
}
