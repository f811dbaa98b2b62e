/**
 * Huffman decoding, half an octet per step (RFC 7541 section 5.2).
 *
 * The states are the inner nodes of the code's tree: 256 of them, and one more that a string which contains EOS
 * never leaves. No code is shorter than 5 bits, so a step completes at most one symbol:
 *
 *     20     16      8 7      0
 *     count   state    symbol
 *
 * The loop writes the symbol whether it exists or not and advances by the count, so no branch depends on the data.
 * Decoding a whole octet per step was a fifth faster with the cache to itself, but its table has 257 KiB instead
 * of 16 and took 8 ms to build at start.
 */
import { EOS, HUFFMAN_BITS, HUFFMAN_CODES } from './huffman-code.ts';

const ROOT = 0;
const FAILED = 256;
const STATES = 257;
const STATE_SHIFT = 8;
const STATE_MASK = 0x1ff << STATE_SHIFT;
const COUNT_SHIFT = 20;

const transitions = new Int32Array(STATES * 16);
/**
 * The states in which a string may end: at the root, or up to 7 ones below it (padding is a prefix of EOS and
 * shorter than an octet).
 */
const accepting = new Uint8Array(STATES);

/** The children of node n are at 2n and 2n+1: 0 absent, > 0 a node, < 0 a symbol as ~symbol. */
function buildTree(): Int32Array {
  const children = new Int32Array(STATES * 2);
  let nodes = 1;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = ROOT;
    for (let bit = HUFFMAN_BITS[symbol] - 1; bit > 0; bit--) {
      const edge = node * 2 + ((HUFFMAN_CODES[symbol] >> bit) & 1);
      if (children[edge] === 0) children[edge] = nodes++;
      node = children[edge];
    }
    children[node * 2 + (HUFFMAN_CODES[symbol] & 1)] = ~symbol;
  }
  return children;
}

function transition(children: Int32Array, state: number, nibble: number): number {
  let node = state;
  let emitted = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = children[node * 2 + ((nibble >> bit) & 1)];
    if (next > 0) {
      node = next;
    } else {
      if (~next === EOS) return FAILED << STATE_SHIFT;
      emitted = (1 << COUNT_SHIFT) | ~next;
      node = ROOT;
    }
  }
  return emitted | (node << STATE_SHIFT);
}

function buildTables(): void {
  const children = buildTree();
  for (let state = 0; state < FAILED; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      transitions[state * 16 + nibble] = transition(children, state, nibble);
    }
  }
  transitions.fill(FAILED << STATE_SHIFT, FAILED * 16);
  for (let node = ROOT, depth = 0; depth <= 7; node = children[node * 2 + 1], depth++) accepting[node] = 1;
}
buildTables();

/**
 * The room that decoding needs: the shortest code has 5 bits, and the last step may write one octet past what
 * it keeps.
 */
export function huffmanDecodedBound(encodedBytes: number): number {
  return Math.floor((encodedBytes * 8) / 5) + 1;
}

/**
 * Decodes bytes[start,end) into `out` from offset 0. `out` must have room for `huffmanDecodedBound` octets.
 * @returns the number of decoded octets; -1 if the string contains EOS, or its padding is longer than 7 bits
 * or does not consist of ones
 */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let length = 0;
  let step = ROOT;
  for (let at = start; at < end; at++) {
    const octet = bytes[at];
    // The state, shifted down to where its 16 transitions begin. A typed array keeps the low 8 bits of a
    // store.
    step = transitions[((step & STATE_MASK) >> (STATE_SHIFT - 4)) | (octet >> 4)];
    out[length] = step;
    length += step >> COUNT_SHIFT;
    step = transitions[((step & STATE_MASK) >> (STATE_SHIFT - 4)) | (octet & 0xf)];
    out[length] = step;
    length += step >> COUNT_SHIFT;
  }
  return accepting[(step & STATE_MASK) >> STATE_SHIFT] === 1 ? length : -1;
}
