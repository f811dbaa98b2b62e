import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { EOS, HUFFMAN_BITS, HUFFMAN_CODES } from '../../../runtime/http2/hpack/huffman-code.ts';
import { huffmanDecode, huffmanDecodedBound } from '../../../runtime/http2/hpack/huffman-decode.ts';
import { huffmanEncode, huffmanEncodedBytes } from '../../../runtime/http2/hpack/huffman-encode.ts';

function decode(bytes: Uint8Array): Buffer | null {
  const out = Buffer.alloc(huffmanDecodedBound(bytes.length));
  const length = huffmanDecode(bytes, 0, bytes.length, out);
  return length < 0 ? null : out.subarray(0, length);
}

function encode(octets: Uint8Array): Buffer {
  const out = Buffer.alloc(huffmanEncodedBytes(octets, octets.length));
  if (huffmanEncode(octets, octets.length, out, 0) !== out.length)
    throw new Error('length and output differ');
  return out;
}

/** Octets from a string of ones and zeros. */
function bits(text: string): Buffer {
  return Buffer.from(text.match(/.{8}/g)?.map((octet) => Number.parseInt(octet, 2)) ?? []);
}

function codeOf(symbol: number): string {
  return HUFFMAN_CODES[symbol].toString(2).padStart(HUFFMAN_BITS[symbol], '0');
}

/** The bits, padded with ones to whole octets. */
function padded(text: string): Buffer {
  return bits(text.padEnd(Math.ceil(text.length / 8) * 8, '1'));
}

test('the derived codes are those of RFC 7541 appendix B', (t) => {
  // The first and last of some lengths, as printed there.
  const printed: [symbol: number, code: number, bits: number][] = [
    [0, 0x1ff8, 13],
    [10, 0x3ffffffc, 30],
    [13, 0x3ffffffd, 30],
    [22, 0x3ffffffe, 30],
    [EOS, 0x3fffffff, 30],
    [48, 0x0, 5],
    [97, 0x3, 5],
    [116, 0x9, 5],
    [32, 0x14, 6],
    [117, 0x2d, 6],
    [58, 0x5c, 7],
    [122, 0x7b, 7],
    [38, 0xf8, 8],
    [90, 0xfd, 8],
    [92, 0x7fff0, 19],
    [195, 0x7fff1, 19],
    [208, 0x7fff2, 19],
    [128, 0xfffe6, 20],
    [226, 0xfffed, 20],
    [249, 0xffffffe, 28],
    [255, 0x3ffffee, 26],
  ];
  for (const [symbol, code, length] of printed) {
    t.is(HUFFMAN_CODES[symbol], code, `symbol ${symbol}`);
    t.is(HUFFMAN_BITS[symbol], length, `symbol ${symbol}`);
  }
});

test('the code is complete: every bit string is a prefix of some coded string', (t) => {
  let kraft = 0;
  for (const length of HUFFMAN_BITS) kraft += 2 ** -length;
  t.is(kraft, 1);
});

test('every octet is encoded and decoded, alone and after every other', (t) => {
  for (let first = 0; first < 256; first++) {
    t.deepEqual(encode(Uint8Array.of(first)), padded(codeOf(first)));
    for (let second = 0; second < 256; second++) {
      const octets = Buffer.of(first, second);
      const coded = encode(octets);
      if (!decode(coded)?.equals(octets)) t.fail(`${first}, ${second}: ${coded.toString('hex')}`);
    }
  }
});

test('padding of up to 7 ones is accepted and removed (RFC 7541 section 5.2)', (t) => {
  for (let symbol = 0; symbol < 256; symbol++) {
    t.deepEqual(decode(padded(codeOf(symbol))), Buffer.of(symbol));
  }
  t.deepEqual(decode(Buffer.alloc(0)), Buffer.alloc(0));
});

test('padding of 8 bits or more is an error (RFC 7541 section 5.2)', (t) => {
  t.is(decode(bits('11111111')), null);
  t.is(decode(bits(`${codeOf(97)}111${'11111111'}`)), null);
  t.is(decode(bits(`${codeOf(38)}${'11111111'.repeat(2)}`)), null);
});

test('padding that is not all ones is an error (RFC 7541 section 5.2)', (t) => {
  for (let zero = 0; zero < 3; zero++) {
    const padding = [...'111'].map((one, i) => (i === zero ? '0' : one)).join('');
    t.is(decode(bits(codeOf(97) + padding)), null, padding);
  }
});

test('EOS inside a string is an error, whatever precedes or follows it (RFC 7541 section 5.2)', (t) => {
  for (let lead = 0; lead < 8; lead++) {
    const before = codeOf(97).repeat(lead);
    t.is(decode(padded(before + codeOf(EOS))), null);
    t.is(decode(padded(before + codeOf(EOS) + codeOf(97).repeat(9))), null);
  }
});

test('any octets survive encoding and decoding', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      assert.deepEqual(decode(encode(octets)), Buffer.from(octets));
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('any octets decode to what a decoder that walks bit by bit finds', (t) => {
  const symbolByCode = new Map<string, number>();
  for (let symbol = 0; symbol <= EOS; symbol++) symbolByCode.set(codeOf(symbol), symbol);
  const slow = (bytes: Uint8Array): Buffer | null => {
    const out: number[] = [];
    let rest = '';
    for (const bit of [...bytes].map((octet) => octet.toString(2).padStart(8, '0')).join('')) {
      rest += bit;
      const symbol = symbolByCode.get(rest);
      if (symbol === EOS) return null;
      if (symbol !== undefined) {
        out.push(symbol);
        rest = '';
      }
    }
    return rest.length > 7 || rest.includes('0') ? null : Buffer.from(out);
  };

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.deepEqual(decode(bytes), slow(bytes));
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('decoding stays within the bound, with the shortest codes and with none', (t) => {
  for (let length = 0; length <= 64; length++) {
    // '0' has five zeros: nothing decodes to more octets. The byte behind the bound must stay as it was.
    const bytes = Buffer.alloc(length);
    const bound = huffmanDecodedBound(length);
    const out = Buffer.alloc(bound + 1, 0xee);
    huffmanDecode(bytes, 0, length, out);
    t.is(out[bound], 0xee);
  }
});
