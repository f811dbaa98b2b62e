/**
 * Reads messages out of a ring. The messages of a request's path are read in place, element by element and
 * without an array; for DATA and the content of HEAD not even a view of the bytes is made. msgpackr decodes
 * the few other messages that carry strings.
 *
 * Everything here was written by the other thread, and a faulty thread may have written anything. Whatever
 * violates the grammar throws a WireError `SLUICE_CHANNEL_CORRUPT`, which ends the channel and nothing else.
 */

import { Unpackr } from 'msgpackr/unpack';
import { WireError, WireErrorCode } from './errors.ts';

/** Also takes bytes in shared memory, and costs half of what `toString` does. */
const utf8Slice = (
  Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, start: number, end: number): string }
).utf8Slice;

export class Decoder {
  /** The next byte to read, and the end of the message. */
  position = 0;
  end = 0;
  /** The content that `content` has read is bytes[contentStart, contentEnd). */
  contentStart = 0;
  contentEnd = 0;
  #bytes: Buffer;
  readonly #unpackr = new Unpackr({ useRecords: false });
  readonly #range = { start: 0, end: 0 };

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Starts in the middle of a message: on its elements in bytes[start, end). */
  within(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /**
   * Starts on the message at `[offset, offset + length)` and returns `elements << 8 | kind`, or -1 if that is
   * no message. The caller then reads it with `whole`, or with `integer` and `binary` up to `finish`.
   */
  start(offset: number, length: number): number {
    this.position = offset + 2;
    this.end = offset + length;
    const head = this.#bytes[offset];
    return (head & 0xf0) === 0x90 ? ((head & 0x0f) << 8) | this.#bytes[offset + 1] : -1;
  }

  /** Decodes the started message as an array. */
  whole(): unknown[] {
    this.#range.start = this.position - 2;
    this.#range.end = this.end;
    try {
      // msgpackr returns an array, because `start` has checked the message's head.
      return this.#unpackr.unpack(this.#bytes, this.#range);
    } catch (cause) {
      throw new WireError(WireErrorCode.Corrupt, 'channel: a message is not MessagePack', { cause });
    }
  }

  integer(): number {
    const bytes = this.#bytes;
    const form = bytes[this.position++];
    if (form < 0x80) return form;
    if (form === 0xcc) return bytes[this.position++];
    if (form === 0xcd) return this.#bigEndian(2);
    if (form === 0xce) return this.#bigEndian(4);
    throw this.#corrupt('an integer', form);
  }

  string(): string {
    const end = this.#stringEnd();
    const start = this.position;
    this.position = end;
    return start === end ? '' : utf8Slice.call(this.#bytes, start, end);
  }

  skipString(): void {
    this.position = this.#stringEnd();
  }

  /** Returns where the string ends whose head comes next; moves `position` behind the head. */
  #stringEnd(): number {
    const form = this.#bytes[this.position++];
    let length: number;
    if ((form & 0xe0) === 0xa0) length = form & 0x1f;
    else if (form >= 0xd9 && form <= 0xdb) length = this.#bigEndian(1 << (form - 0xd9));
    else throw this.#corrupt('a string', form);
    const end = this.position + length;
    // The comparison is also false for NaN, which results from bytes past the ring.
    if (!(end <= this.end)) throw this.#corrupt('a string within the record', length);
    return end;
  }

  /** Names and values alternate. */
  fields(): string[] {
    const count = this.fieldCount();
    const fields: string[] = [];
    for (let i = 0; i < count; i++) fields.push(this.string());
    return fields;
  }

  /** Reads the head of a list of fields and returns its length: names and values, equally many of each. */
  fieldCount(): number {
    const form = this.#bytes[this.position++];
    let count: number;
    if ((form & 0xf0) === 0x90) count = form & 0x0f;
    else if (form === 0xdc || form === 0xdd) count = this.#bigEndian(2 << (form - 0xdc));
    else throw this.#corrupt('fields', form);
    // Each element takes at least one byte, so a valid list is never longer than its record.
    if (!(count <= this.end - this.position) || count % 2 !== 0)
      throw this.#corrupt('names with values', count);
    return count;
  }

  /** Reads nil, or a bin that need not be the rest of the message. */
  content(): void {
    const form = this.#bytes[this.position++];
    let length = 0;
    if (form >= 0xc4 && form <= 0xc6) length = this.#bigEndian(1 << (form - 0xc4));
    else if (form !== 0xc0) throw this.#corrupt('bin or nil', form);
    this.contentStart = this.position;
    this.contentEnd = this.position + length;
    if (!(this.contentEnd <= this.end)) throw this.#corrupt('bin within the record', length);
    this.position = this.contentEnd;
  }

  /** Reads the head of a bin that fills the rest of the message; its bytes are `[position, end)`. */
  binary(): void {
    const form = this.#bytes[this.position++];
    if (form < 0xc4 || form > 0xc6) throw this.#corrupt('bin', form);
    const length = this.#bigEndian(1 << (form - 0xc4));
    if (this.position + length !== this.end) throw this.#corrupt('bin up to the end of the record', length);
  }

  /** To be called after the last integer of a message without bin. */
  finish(): void {
    if (this.position !== this.end) throw this.#corrupt('the end of the record', this.#bytes[this.position]);
  }

  /**
   * Bytes behind the record do not belong to the message, so the error reveals nothing that was read from
   * them.
   */
  #corrupt(expected: string, got: unknown): WireError {
    if (this.position <= this.end) return corrupt(expected, got);
    return corrupt('a message within its record', 'one that continues past its end');
  }

  #bigEndian(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[this.position++];
    return value;
  }
}

/**
 * What a decoded message must contain. Errors show only the type of the actual value: field values do not
 * belong in logs.
 */
export function expectString(value: unknown): string {
  if (typeof value !== 'string') throw corrupt('a string', typeof value);
  return value;
}

export function expectInteger(value: unknown): number {
  if (typeof value !== 'number' || value >>> 0 !== value) throw corrupt('an unsigned integer', typeof value);
  return value;
}

/** Names and values alternate. */
export function expectFields(value: unknown): string[] {
  if (!Array.isArray(value) || value.length % 2 !== 0) throw corrupt('fields', typeof value);
  for (let i = 0; i < value.length; i++)
    if (typeof value[i] !== 'string') throw corrupt('fields', typeof value[i]);
  return value;
}

export function corrupt(expected: string, got: unknown): WireError {
  return new WireError(WireErrorCode.Corrupt, `channel: expected ${expected}, got ${got}`);
}
