/**
 * Writes the forms of a payload (see forms.ts) into a buffer that grows: numbers, strings, and the heads of arrays, maps and binary data.
 * The encoder decides which form a value gets.
 */
import { Extension, type PayloadError } from './forms.ts';

const FIRST_BYTES = 4_096;
/** A larger buffer is kept only while payloads stay larger than this, because a new buffer costs more than copying into it. */
const KEPT_BYTES = 262_144;
/** For longer strings native calls are faster than a loop over the characters. A trace's names have 55 of them. */
const SHORT_STRING = 64;
/** Array and map heads, integers, doubles, extension heads. */
export const HEAD_BYTES = 10;

export abstract class PayloadWriter {
  /** The payload is bytes[0, length), until the next one is written. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;
  #view = new DataView(this.bytes.buffer);
  #maxBytes = 0;
  /** Beyond this length the buffer is too small, or the payload is too large. */
  #room = 0;

  /** Begins another payload of at most `maxBytes` bytes. */
  protected begin(maxBytes: number): void {
    const wasSmall = this.length <= KEPT_BYTES;
    this.length = 0;
    if (wasSmall && this.bytes.length > KEPT_BYTES) this.#resize(FIRST_BYTES);
    this.#maxBytes = maxBytes;
    this.#room = Math.min(this.bytes.length, maxBytes);
  }

  /** A head reserves its largest size, so a payload may be refused a few bytes below the limit. */
  protected abstract tooLarge(maxBytes: number): PayloadError;

  protected writeNumber(value: number): void {
    this.ensure(HEAD_BYTES);
    const { bytes } = this;
    let at = this.length;
    if ((value | 0) !== value || Object.is(value, -0)) {
      bytes[at] = 0xcb;
      this.#view.setFloat64(at + 1, value);
      this.length = at + 9;
      return;
    }
    if (value >= 0) {
      if (value < 0x80) bytes[at++] = value;
      else if (value < 0x100) {
        bytes[at++] = 0xcc;
        bytes[at++] = value;
      } else if (value < 0x10000) {
        bytes[at++] = 0xcd;
        bytes[at++] = value >> 8;
        bytes[at++] = value;
      } else {
        bytes[at++] = 0xce;
        this.#view.setUint32(at, value);
        at += 4;
      }
    } else if (value >= -32) bytes[at++] = value & 0xff;
    else if (value >= -0x80) {
      bytes[at++] = 0xd0;
      bytes[at++] = value & 0xff;
    } else {
      bytes[at++] = 0xd2;
      this.#view.setInt32(at, value);
      at += 4;
    }
    this.length = at;
  }

  protected writeBigint(value: bigint): void {
    this.ensure(HEAD_BYTES);
    if (BigInt.asIntN(64, value) === value) {
      this.bytes[this.length] = 0xd3;
      this.#view.setBigInt64(this.length + 1, value);
      this.length += 9;
      return;
    }
    if (BigInt.asUintN(64, value) === value) {
      this.bytes[this.length] = 0xcf;
      this.#view.setBigUint64(this.length + 1, value);
      this.length += 9;
      return;
    }
    const digits = (value < 0n ? -value : value).toString(16);
    const magnitude = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
    this.ensure(HEAD_BYTES + magnitude.length);
    this.writeLengthHead(0xc7, magnitude.length + 1);
    this.bytes[this.length++] = Extension.BigInt;
    this.bytes[this.length++] = value < 0n ? 1 : 0;
    this.bytes.set(magnitude, this.length);
    this.length += magnitude.length;
  }

  protected writeString(text: string): void {
    const { length } = text;
    if (length < SHORT_STRING) {
      this.ensure(HEAD_BYTES + length);
      const { bytes } = this;
      let at = this.length;
      if (length < 0x20) bytes[at++] = 0xa0 | length;
      else {
        bytes[at++] = 0xd9;
        bytes[at++] = length;
      }
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[at++] = unit;
      }
      if (i === length) {
        this.length = at;
        return;
      }
    }
    if (text.isWellFormed()) this.#utf8(text);
    else this.#utf16(text);
  }

  #utf8(text: string): void {
    const length = Buffer.byteLength(text);
    this.ensure(HEAD_BYTES + length);
    if (length < 0x20) this.bytes[this.length++] = 0xa0 | length;
    else this.writeLengthHead(0xd9, length);
    this.bytes.write(text, this.length, length, 'utf8');
    this.length += length;
  }

  #utf16(text: string): void {
    const length = text.length * 2;
    this.ensure(HEAD_BYTES + length);
    this.writeLengthHead(0xc7, length);
    this.bytes[this.length++] = Extension.Utf16;
    this.bytes.write(text, this.length, length, 'utf16le');
    this.length += length;
  }

  /**
   * Writes the head of an array or a map: `few` is the form for few elements, `many` the one with a 16-bit count, and the form after
   * that has 32 bits.
   */
  protected writeHead(few: number, many: number, count: number): void {
    this.ensure(HEAD_BYTES);
    if (count < 16) {
      this.bytes[this.length++] = few | count;
    } else if (count < 0x10000) {
      this.bytes[this.length] = many;
      this.#view.setUint16(this.length + 1, count);
      this.length += 3;
    } else {
      this.bytes[this.length] = many + 1;
      this.#view.setUint32(this.length + 1, count);
      this.length += 5;
    }
  }

  /** Writes the head of binary data: `form` has an 8-bit length, and the two forms after it have 16 and 32 bits. */
  protected writeLengthHead(form: number, length: number): void {
    if (length < 0x100) {
      this.bytes[this.length++] = form;
      this.bytes[this.length++] = length;
    } else if (length < 0x10000) {
      this.bytes[this.length] = form + 1;
      this.#view.setUint16(this.length + 1, length);
      this.length += 3;
    } else {
      this.bytes[this.length] = form + 2;
      this.#view.setUint32(this.length + 1, length);
      this.length += 5;
    }
  }

  protected writeFixext1(type: number, data: number): void {
    this.ensure(HEAD_BYTES);
    this.bytes[this.length++] = 0xd4;
    this.bytes[this.length++] = type;
    this.bytes[this.length++] = data;
  }

  protected writeByte(byte: number): void {
    this.ensure(HEAD_BYTES);
    this.bytes[this.length++] = byte;
  }

  protected ensure(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.#room) return;
    const maxBytes = this.#maxBytes;
    if (needed > maxBytes) throw this.tooLarge(maxBytes);
    if (needed > this.bytes.length) this.#resize(Math.max(needed, Math.min(2 * this.bytes.length, maxBytes)));
    this.#room = Math.min(this.bytes.length, maxBytes);
  }

  #resize(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(bytes);
    grown.set(this.bytes.subarray(0, Math.min(this.length, bytes)));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** Writes an extension with a fixed length of four bytes. */
  protected writeFixext4(type: number, data: number): void {
    this.ensure(HEAD_BYTES);
    this.bytes[this.length++] = 0xd6;
    this.bytes[this.length++] = type;
    this.#view.setUint32(this.length, data);
    this.length += 4;
  }

  /** Writes an extension with a fixed length of eight bytes: a double. */
  protected writeFixext8(type: number, data: number): void {
    this.ensure(HEAD_BYTES);
    this.bytes[this.length++] = 0xd7;
    this.bytes[this.length++] = type;
    this.#view.setFloat64(this.length, data);
    this.length += 8;
  }
}
