/**
 * Writes MessagePack straight into a claimed ring record.
 *
 * It writes only the forms that the grammar uses: unsigned integers to 2^32-1, strings, binary, nil and
 * arrays. Any MessagePack decoder reads them. msgpackr's own encoder keeps its target buffer in module state.
 * An application that imports the same copy of msgpackr would share that state, so msgpackr cannot be pointed
 * at a ring safely.
 */

import { copyOf } from './bytes.ts';

/** The most bytes that an array head or an integer can take. */
const INTEGER_BYTES = 5;
/** From this length on a native call beats a loop over the characters. */
const SHORT_STRING = 32;
/** UTF-8 bytes per UTF-16 unit, at most. */
const BYTES_PER_UNIT = 3;

/** An upper bound for an array head and `count` integers. */
export function integersBound(count: number): number {
  return (count + 1) * INTEGER_BYTES;
}

export function stringBound(text: string): number {
  return text.length * BYTES_PER_UNIT + INTEGER_BYTES;
}

export function fieldsBound(fields: readonly string[]): number {
  let bound = INTEGER_BYTES;
  for (let i = 0; i < fields.length; i++) bound += fields[i].length * BYTES_PER_UNIT + INTEGER_BYTES;
  return bound;
}

export function binaryBound(length: number): number {
  return length + INTEGER_BYTES;
}

export class Encoder {
  /** Where the next byte goes. The caller sets it to the claimed offset. */
  position = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The head of an array of at most 15 elements: every message is one. */
  message(elements: number, kind: number, slot: number): void {
    const bytes = this.#bytes;
    bytes[this.position++] = 0x90 | elements;
    bytes[this.position++] = kind;
    this.integer(slot);
  }

  /** @param value from 0 to 2^32-1 */
  integer(value: number): void {
    const bytes = this.#bytes;
    let at = this.position;
    if (value < 0x80) {
      bytes[at++] = value;
    } else if (value < 0x100) {
      bytes[at++] = 0xcc;
      bytes[at++] = value;
    } else if (value < 0x10000) {
      bytes[at++] = 0xcd;
      bytes[at++] = value >> 8;
      bytes[at++] = value;
    } else {
      bytes[at++] = 0xce;
      bytes[at++] = value >>> 24;
      bytes[at++] = value >>> 16;
      bytes[at++] = value >>> 8;
      bytes[at++] = value;
    }
    this.position = at;
  }

  string(text: string): void {
    const length = text.length;
    if (length < SHORT_STRING) {
      const bytes = this.#bytes;
      let at = this.position;
      bytes[at++] = 0xa0 | length;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[at++] = unit;
      }
      if (i === length) {
        this.position = at;
        return;
      }
    }
    this.#longString(text);
  }

  fields(fields: readonly string[]): void {
    const count = fields.length;
    const bytes = this.#bytes;
    if (count < 16) {
      bytes[this.position++] = 0x90 | count;
    } else {
      this.#head(0xdc, count);
    }
    for (let i = 0; i < count; i++) this.string(fields[i]);
  }

  /**
   * What follows the path in OPEN.
   * @param encodedFields the fields as `fields` writes them; null if they are not encoded yet
   */
  request(
    remoteAddress: string,
    remotePort: number,
    method: string,
    scheme: string,
    authority: string,
    version: string,
    fields: readonly string[],
    tls: string,
    encodedFields: Uint8Array | null = null,
  ): void {
    this.string(remoteAddress);
    this.integer(remotePort);
    this.string(method);
    this.string(scheme);
    this.string(authority);
    this.string(version);
    if (encodedFields === null) this.fields(fields);
    else this.encoded(encodedFields);
    if (tls !== '') this.string(tls);
  }

  /** Bytes that an encoder has written earlier. */
  encoded(bytes: Uint8Array): void {
    copyBytes(bytes, 0, bytes.length, this.#bytes, this.position);
    this.position += bytes.length;
  }

  /** A copy of what was written since the start of the target. */
  taken(): Uint8Array {
    return copyOf(this.#bytes, 0, this.position);
  }

  nil(): void {
    this.#bytes[this.position++] = 0xc0;
  }

  /** `source[start, end)` as bin. */
  binary(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length < 0x100) {
      this.#bytes[this.position++] = 0xc4;
      this.#bytes[this.position++] = length;
    } else {
      this.#head(0xc5, length);
    }
    copyBytes(source, start, end, this.#bytes, this.position);
    this.position += length;
  }

  /** `source[0, length)` as bin, for a payload that is nothing but bytes. */
  binaryPayload(source: Uint8Array, length: number): void {
    this.#head(0xc5, length + (length < 0x10000 ? 3 : 5));
    this.#head(0xc5, length);
    copyBytes(source, 0, length, this.#bytes, this.position);
    this.position += length;
  }

  #longString(text: string): void {
    const length = this.#utf8(text);
    if (length < 0x20) {
      this.#bytes[this.position++] = 0xa0 | length;
    } else if (length < 0x100) {
      this.#bytes[this.position++] = 0xd9;
      this.#bytes[this.position++] = length;
    } else {
      this.#head(0xda, length);
    }
    this.position += length;
  }

  /** Writes a string's bytes behind the place of its head and returns their number. */
  #utf8(text: string): number {
    const bytes = this.#bytes;
    const guess = stringHeadBytes(text.length);
    const length = bytes.write(text, this.position + guess);
    const actual = stringHeadBytes(length);
    // Characters beyond ASCII need more bytes than a head guessed from the number of characters can express.
    // The bytes are written again, behind the longer head.
    if (actual !== guess) bytes.write(text, this.position + actual);
    return length;
  }

  /** Writes `form` with a 16-bit length, or the form after it with a 32-bit length. */
  #head(form: number, length: number): void {
    const bytes = this.#bytes;
    let at = this.position;
    if (length < 0x10000) {
      bytes[at++] = form;
    } else {
      bytes[at++] = form + 1;
      bytes[at++] = length >>> 24;
      bytes[at++] = length >>> 16;
    }
    bytes[at++] = length >>> 8;
    bytes[at++] = length;
    this.position = at;
  }
}

function stringHeadBytes(length: number): number {
  return length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
}

const copy = Buffer.prototype.copy;
/**
 * Buffer's copy takes source offsets modulo 2^32 (seen with Node 24.21), so beyond this offset it would copy
 * the wrong bytes.
 */
const MAX_COPY_OFFSET = 2 ** 32 - 1;

/**
 * `TypedArray.prototype.set` copies byte by byte when one side is shared memory, ten times slower than
 * memmove at 16 KiB. Buffer's copy is a memmove, but Node passes a copy of a whole source on to `set`. So
 * this function never copies all of a source in one call. For a few bytes the call costs more than a loop.
 */
function copyBytes(source: Uint8Array, start: number, end: number, target: Buffer, at: number): void {
  if (end > MAX_COPY_OFFSET) {
    copyBytes(source.subarray(start, end), 0, end - start, target, at);
    return;
  }
  let from = start;
  let to = at;
  if (end - start > 24) {
    copy.call(source, target, at, start, end - 1);
    from = end - 1;
    to = at + from - start;
  }
  while (from < end) target[to++] = source[from++];
}
