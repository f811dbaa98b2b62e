/**
 * Converts octets to strings and back, one octet per character.
 *
 * A call into the runtime costs more than a short string does. Up to 16 octets, which covers most field names
 * and many values, `String.fromCharCode` with that many arguments takes half the time. (Measured. A loop that
 * appends makes a rope, which has to be flattened later.)
 */
import { Buffer } from 'node:buffer';

/** Accepts any Uint8Array as receiver, which `Buffer.prototype.toString` does not. */
const latin1Slice = (
  Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, start: number, end: number): string }
).latin1Slice;

const char = String.fromCharCode;

export function latin1String(b: Uint8Array, at: number, length: number): string {
  switch (length) {
    case 0:
      return '';
    case 1:
      return char(b[at]);
    case 2:
      return char(b[at], b[at + 1]);
    case 3:
      return char(b[at], b[at + 1], b[at + 2]);
    case 4:
      return char(b[at], b[at + 1], b[at + 2], b[at + 3]);
    case 5:
      return char(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4]);
    case 6:
      return char(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5]);
    case 7:
      return char(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5], b[at + 6]);
    case 8:
      return char(b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5], b[at + 6], b[at + 7]);
    case 9:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
      );
    case 10:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
      );
    case 11:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
        b[at + 10],
      );
    case 12:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
        b[at + 10],
        b[at + 11],
      );
    case 13:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
        b[at + 10],
        b[at + 11],
        b[at + 12],
      );
    case 14:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
        b[at + 10],
        b[at + 11],
        b[at + 12],
        b[at + 13],
      );
    case 15:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
        b[at + 10],
        b[at + 11],
        b[at + 12],
        b[at + 13],
        b[at + 14],
      );
    case 16:
      return char(
        b[at],
        b[at + 1],
        b[at + 2],
        b[at + 3],
        b[at + 4],
        b[at + 5],
        b[at + 6],
        b[at + 7],
        b[at + 8],
        b[at + 9],
        b[at + 10],
        b[at + 11],
        b[at + 12],
        b[at + 13],
        b[at + 14],
        b[at + 15],
      );
    default:
      return latin1Slice.call(b, at, at + length);
  }
}

/** For the other direction: above this length the call into the runtime is faster. */
const LOOP_LIMIT = 16;

/**
 * Writes `text` at the start of `out`, which must have room. Of a code unit above 255 only the low octet is
 * written.
 */
export function latin1Bytes(text: string, out: Buffer): void {
  if (text.length > LOOP_LIMIT) out.write(text, 0, 'latin1');
  else for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
}

const latin1Write = (
  Buffer.prototype as unknown as {
    latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
  }
).latin1Write;

/**
 * Writes `text` at `offset`, where there must be room. Of a code unit above 255 only the low octet is
 * written.
 */
export function writeLatin1(out: Uint8Array, offset: number, text: string): void {
  latin1Write.call(out, text, offset, text.length);
}

/**
 * Up to this length a loop is faster than the call into the runtime, because it writes the text directly to
 * its place.
 */
const PUT_LOOP_LIMIT = 32;

/** Like `writeLatin1`, for texts that are mostly short. @returns the offset after the text */
export function putLatin1(out: Uint8Array, offset: number, text: string): number {
  const { length } = text;
  if (length > PUT_LOOP_LIMIT) writeLatin1(out, offset, text);
  else for (let i = 0; i < length; i++) out[offset + i] = text.charCodeAt(i);
  return offset + length;
}
