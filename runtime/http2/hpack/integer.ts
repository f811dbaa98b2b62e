/**
 * Prefixed integers (RFC 7541 section 5.1).
 *
 * A decoded integer is a length, an index or a table size, all far below 2^28. So more than four octets after
 * the prefix are refused, including zero padding: the RFC asks for a limit of both value and length.
 */

/** The most octets that `writeInteger` takes for a value below 2^31. */
export const INTEGER_MAX_BYTES = 6;
const MAX_SHIFT = 21;

/** The value that `readInteger` found, valid if it did not return -1. */
export let integerRead = 0;

/**
 * Reads what follows a prefix of ones.
 * @param prefixMax the prefix's value, 2^N - 1
 * @returns the offset after the integer, with its value in `integerRead`; -1 if it is cut off or too long
 */
export function readInteger(bytes: Uint8Array, offset: number, end: number, prefixMax: number): number {
  let value = prefixMax;
  let at = offset;
  for (let shift = 0; at < end && shift <= MAX_SHIFT; shift += 7) {
    const octet = bytes[at++];
    value += (octet & 0x7f) << shift;
    if (octet < 0x80) {
      integerRead = value;
      return at;
    }
  }
  return -1;
}

/**
 * @param pattern the bits above the prefix in the first octet
 * @param prefixMax 2^N - 1
 * @returns the offset after the integer
 */
export function writeInteger(
  out: Uint8Array,
  offset: number,
  pattern: number,
  prefixMax: number,
  value: number,
): number {
  if (value < prefixMax) {
    out[offset] = pattern | value;
    return offset + 1;
  }
  let at = offset;
  out[at++] = pattern | prefixMax;
  let rest = value - prefixMax;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}
