/**
 * The forms of a payload in MessagePack. A payload is any value that is sent to an actor or that an actor replies with.
 *
 * Types that MessagePack has are written in its own forms: nil is null, int64 and uint64 are always bigint, bin is a Uint8Array, a map is a
 * plain object. Other types are an extension, or an array whose first element is a marker. No other array of a payload begins with a
 * marker:
 *
 *   undefined, hole    fixext 1, with 0
 *   bigint             ext: a sign (0 or 1), then the magnitude in big-endian bytes; those that int64 and uint64 do not hold
 *   Date               fixext 8: float64, milliseconds since the epoch, NaN for one that is invalid
 *   text               ext: UTF-16, little-endian, for a string with a lone surrogate; all others are str
 *   reference          fixext 4: the how-manieth object of the payload it is, counted as they begin
 *   ArrayBuffer        ext: its bytes
 *   view               ext: a `ViewKind`, then its bytes in the machine's order
 *   Set                [marker, element, ...]
 *   Map                [marker, key, value, ...]
 *   Error              [marker, name, message, stack, code or nil, cause or undefined, [errors] or nil, {data}]
 *
 * Threads of one process share the machine's byte order. A transport to another machine would have to state it.
 */

export const Extension = {
  Undefined: 1,
  Hole: 2,
  BigInt: 3,
  Date: 4,
  Utf16: 5,
  Reference: 6,
  ArrayBuffer: 7,
  View: 8,
  Marker: 9,
} as const;

/** The whole payload for `undefined`: the reply to a call that returns nothing. */
export const UNDEFINED: Uint8Array = new Uint8Array([0xd4, Extension.Undefined, 0]);

export const Marker = { Set: 0, Map: 1, Error: 2 } as const;

/** By `ViewKind`: a Uint8Array is bin. */
export const VIEWS = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const;

export interface PayloadLimits {
  /** Bytes of the payload, encoded. */
  readonly maxBytes: number;
  /** How deep objects may be nested. */
  readonly maxDepth: number;
  /** How many references to earlier objects a payload may contain. */
  readonly maxReferences: number;
  /** Characters of an error's message, and of its stack, that are kept. */
  readonly maxErrorChars: number;
}

export const DEFAULT_MAX_DEPTH = 64;
export const DEFAULT_MAX_REFERENCES = 10_000;

export const PayloadErrorCode = {
  /** A value that is not plain data, or bytes that are not a payload. */
  Invalid: 'SLUICE_MESSAGE_INVALID',
  /** More bytes than a message may have. */
  TooLarge: 'SLUICE_MESSAGE_TOO_LARGE',
} as const;
export type PayloadErrorCode = (typeof PayloadErrorCode)[keyof typeof PayloadErrorCode];

export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  readonly code: PayloadErrorCode;
  /** The place in the value, such as `arguments[0].rows[3].when`; empty if bytes are invalid. */
  readonly path: string;

  constructor(code: PayloadErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

/** If the whole payload is one Uint8Array, returns where its bytes begin; they end with the payload. -1: it is another value. */
export function binaryWithin(bytes: Uint8Array, start: number, end: number): number {
  const form = bytes[start] as number;
  if (form < 0xc4 || form > 0xc6) return -1;
  const lengthBytes = 1 << (form - 0xc4);
  const from = start + 1 + lengthBytes;
  if (from > end) return -1;
  let length = 0;
  for (let at = start + 1; at < from; at++) length = length * 256 + (bytes[at] as number);
  return from + length === end ? from : -1;
}
