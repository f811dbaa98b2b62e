/** Huffman encoding (RFC 7541 section 5.2) of octets. */
import { HUFFMAN_BITS, HUFFMAN_CODES } from './huffman-code.ts';

/**
 * Code and length of the octets whose code has at most 16 bits, as code << 5 | bits; that covers normal text.
 * 0 for the others.
 */
const shortCodes = new Int32Array(256);
for (let octet = 0; octet < 256; octet++) {
  if (HUFFMAN_BITS[octet] <= 16) shortCodes[octet] = (HUFFMAN_CODES[octet] << 5) | HUFFMAN_BITS[octet];
}

/** The number of octets that text[0,length) takes when Huffman-coded. */
export function huffmanEncodedBytes(text: Uint8Array, length: number): number {
  let bits = 0;
  for (let i = 0; i < length; i++) bits += HUFFMAN_BITS[text[i]];
  return (bits + 7) >>> 3;
}

/**
 * Writes text[0,length) at `offset`, padded with ones.
 * @returns the offset after it
 */
export function huffmanEncode(text: Uint8Array, length: number, out: Uint8Array, offset: number): number {
  let at = offset;
  // The low `pendingBits` bits of `pending` have not been written. Before each addition of at most 16 bits
  // there are fewer than 16, so 32 suffice. The bits above them have been written, and a typed array drops
  // them when it stores.
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < length; i++) {
    const octet = text[i];
    const short = shortCodes[octet];
    let code = short >> 5;
    let bits = short & 0x1f;
    if (short === 0) {
      // A code of 19 to 30 bits: its upper bits are written first, which leaves two short codes.
      code = HUFFMAN_CODES[octet];
      bits = HUFFMAN_BITS[octet] - 16;
      pending = (pending << bits) | (code >> 16);
      pendingBits += bits;
      if (pendingBits >= 16) {
        pendingBits -= 16;
        out[at] = pending >> (pendingBits + 8);
        out[at + 1] = pending >> pendingBits;
        at += 2;
      }
      code &= 0xffff;
      bits = 16;
    }
    pending = (pending << bits) | code;
    pendingBits += bits;
    if (pendingBits >= 16) {
      pendingBits -= 16;
      out[at] = pending >> (pendingBits + 8);
      out[at + 1] = pending >> pendingBits;
      at += 2;
    }
  }
  if (pendingBits >= 8) {
    pendingBits -= 8;
    out[at++] = pending >> pendingBits;
  }
  if (pendingBits > 0) out[at++] = (pending << (8 - pendingBits)) | (0xff >> pendingBits);
  return at;
}
