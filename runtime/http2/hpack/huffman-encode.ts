/** Huffman encoding (RFC 7541 section 5.2). Strings are latin1; of a larger code unit the low octet counts. */
import { HUFFMAN_BITS, HUFFMAN_CODES } from './huffman-code.ts';

/** How many octets `text` takes when Huffman-coded. */
export function huffmanEncodedBytes(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += HUFFMAN_BITS[text.charCodeAt(i) & 0xff];
  return (bits + 7) >>> 3;
}

/** Writes `text` at `offset`, padded with ones. @returns the offset after it. */
export function huffmanEncode(text: string, out: Uint8Array, offset: number): number {
  let at = offset;
  // `pending` holds the low `pendingBits` (< 8 between symbols) bits that no octet has taken yet. The longest code
  // has 30 bits, so a long one is fed in two parts to stay within 32.
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const octet = text.charCodeAt(i) & 0xff;
    const code = HUFFMAN_CODES[octet];
    let bits = HUFFMAN_BITS[octet];
    if (bits > 16) {
      bits -= 16;
      pending = (pending << bits) | (code >> 16);
      pendingBits += bits;
      while (pendingBits >= 8) {
        pendingBits -= 8;
        out[at++] = pending >> pendingBits;
      }
      bits = 16;
    }
    // Bits above `pendingBits` are left over from octets already written: a typed array drops them.
    pending = (pending << bits) | (code & 0xffff);
    pendingBits += bits;
    while (pendingBits >= 8) {
      pendingBits -= 8;
      out[at++] = pending >> pendingBits;
    }
  }
  if (pendingBits > 0) out[at++] = (pending << (8 - pendingBits)) | (0xff >> pendingBits);
  return at;
}
