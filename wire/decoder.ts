/**
 * Reads messages out of a ring. What carries strings goes through msgpackr, whose native extraction is the quickest
 * way from bytes to many strings; the small messages are a few integers and are read in place, without an array, and
 * DATA without even a view of its bytes.
 *
 * Everything it reads was written by the other thread. A thread that has gone wild may have put anything there:
 * whatever is not as the grammar says throws a WireError `SLUICE_CHANNEL_CORRUPT`, which ends the channel and no more.
 */

import { Unpackr } from 'msgpackr';
import { WireError, WireErrorCode } from './errors.ts';

export class Decoder {
  /** The next byte to read, and the end of the message. */
  position = 0;
  end = 0;
  readonly #bytes: Buffer;
  readonly #unpackr = new Unpackr({ useRecords: false });
  readonly #range = { start: 0, end: 0 };

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * Starts on the message at `[offset, offset + length)` and returns `elements << 8 | kind`; -1 for what is no
   * message. Then `whole`, or `integer` and `binary` up to `finish`.
   */
  start(offset: number, length: number): number {
    this.position = offset + 2;
    this.end = offset + length;
    const head = this.#bytes[offset];
    return (head & 0xf0) === 0x90 ? ((head & 0x0f) << 8) | this.#bytes[offset + 1] : -1;
  }

  /** The message that was started, as an array. */
  whole(): unknown[] {
    this.#range.start = this.position - 2;
    this.#range.end = this.end;
    try {
      // An array: `start` has seen its head.
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
    throw corrupt('an integer', form);
  }

  /** Reads the head of a bin that fills the rest of the message: `[position, end)` are its bytes. */
  binary(): void {
    const form = this.#bytes[this.position++];
    if (form < 0xc4 || form > 0xc6) throw corrupt('bin', form);
    const length = this.#bigEndian(1 << (form - 0xc4));
    if (this.position + length !== this.end) throw corrupt('bin up to the end of the record', length);
  }

  /** To be called after the last integer of a message without bin. */
  finish(): void {
    if (this.position !== this.end) throw corrupt('the end of the record', this.#bytes[this.position]);
  }

  #bigEndian(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[this.position++];
    return value;
  }
}

/** What a decoded message must contain. Errors show only the type that came: field values do not belong in logs. */
export function expectString(value: unknown): string {
  if (typeof value !== 'string') throw corrupt('a string', typeof value);
  return value;
}

export function expectInteger(value: unknown): number {
  if (typeof value !== 'number' || value >>> 0 !== value) throw corrupt('an unsigned integer', typeof value);
  return value;
}

export function expectBytes(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw corrupt('bin', typeof value);
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
