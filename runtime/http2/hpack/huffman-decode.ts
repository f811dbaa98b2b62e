/**
 * Huffman decoding, an octet a step (RFC 7541 section 5.2).
 *
 * The states are the inner nodes of the code's tree: 256 of them, and one that a string which contains EOS never
 * leaves. Because no code is shorter than 5 bits, an octet completes two symbols at most, so one transition fits
 * 27 bits:
 *
 *     26 25 24      17 16      8 7       0
 *     count  symbol 2   state    symbol 1
 *
 * Bits 8 to 16 are the state already shifted to be the next look-up's base. The loop writes both symbols whether
 * they exist or not and moves on by the count: no branch depends on the data.
 */
import { EOS, HUFFMAN_BITS, HUFFMAN_CODES } from './huffman-code.ts';

const ROOT = 0;
const FAILED = 256;
const STATES = 257;
const STATE_MASK = 0x1ff00;

const transitions = new Int32Array(STATES * 256);
/**
 * Where a string may end: at the root, or up to 7 ones below it (padding is a prefix of EOS and shorter than an
 * octet).
 */
const accepting = new Uint8Array(STATES);

/** Children of node n at 2n and 2n+1: 0 absent, > 0 a node, < 0 a symbol as ~symbol. */
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

function transition(children: Int32Array, state: number, octet: number): number {
  let node = state;
  let symbols = 0;
  let count = 0;
  for (let bit = 7; bit >= 0; bit--) {
    const next = children[node * 2 + ((octet >> bit) & 1)];
    if (next > 0) {
      node = next;
    } else if (~next === EOS) {
      return FAILED << 8;
    } else {
      symbols |= ~next << (count++ === 0 ? 0 : 17);
      node = ROOT;
    }
  }
  return (count << 25) | symbols | (node << 8);
}

function buildTables(): void {
  const children = buildTree();
  for (let state = 0; state < FAILED; state++) {
    for (let octet = 0; octet < 256; octet++) {
      transitions[(state << 8) | octet] = transition(children, state, octet);
    }
  }
  transitions.fill(FAILED << 8, FAILED << 8);
  for (let node = ROOT, depth = 0; depth <= 7; node = children[node * 2 + 1], depth++) accepting[node] = 1;
}
buildTables();

/**
 * Room that decoding needs: the shortest code has 5 bits, and the last step writes one octet past what it keeps
 * or two.
 */
export function huffmanDecodedBound(encodedBytes: number): number {
  return (((encodedBytes * 8) / 5) | 0) + 2;
}

/**
 * Decodes bytes[start,end) into `out` from 0, which must have `huffmanDecodedBound` octets of room.
 * @returns how many octets came out; -1 when the string contains EOS, or its padding is longer than 7 bits or not
 * made of ones.
 */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let state = ROOT;
  let length = 0;
  for (let at = start; at < end; at++) {
    const step = transitions[state | bytes[at]];
    // A typed array keeps the low 8 bits of what is stored.
    out[length] = step;
    out[length + 1] = step >> 17;
    length += step >> 25;
    state = step & STATE_MASK;
  }
  return accepting[state >> 8] === 1 ? length : -1;
}
