/** Peers that mean harm. What is asserted is what they can make us keep, and that the outcome is the RFC's. */
import test from 'ava';
import { DecodeResult, HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { bytesOf, decodeBlock, ROOMY, tableOf } from './coding.ts';

const LIMITS = { maxTableBytes: 4096, maxFieldListBytes: 16_384, maxFieldLines: 100 };

test('an HPACK bomb, one large entry referenced thousands of times, stops at the limit of the list', (t) => {
  const decoder = new HpackDecoder({ ...LIMITS, maxFieldLines: 1_000_000 });
  // An entry of 32 + 1 + 4,063 = 4,096 bytes; then 65,536 references of one octet stand for 256 MiB.
  decodeBlock(decoder, Buffer.concat([bytesOf('40 01 61 7f e01e'), Buffer.alloc(4063, 'x')]));
  t.is(decoder.table.sizeBytes, 4096);
  const fields: string[] = [];
  t.is(decoder.decode(Buffer.alloc(65_536, 0xbe), 0, 65_536, fields), DecodeResult.ListTooLarge);
  t.is(fields.length, 2 * 4);
  // The connection goes on.
  t.deepEqual(decodeBlock(decoder, bytesOf('be')), ['a', 'x'.repeat(4063)]);
});

test('thousands of tiny fields stop at the limit of lines', (t) => {
  const fields: string[] = [];
  const decoder = new HpackDecoder({ ...LIMITS, maxFieldListBytes: 1 << 30 });
  t.is(decoder.decode(Buffer.alloc(65_536, 0x82), 0, 65_536, fields), DecodeResult.ListTooLarge);
  t.is(fields.length, 2 * 100);
});

test('an endless integer is refused after four octets, as index, length and table size', (t) => {
  for (const opening of ['ff', '7f', '0f', '1f', '3f', '40 7f', '40 ff', '40 01 61 7f', '00 01 61 ff']) {
    for (const filler of [0x80, 0xff]) {
      const head = bytesOf(opening);
      const block = Buffer.concat([head, Buffer.alloc(65_536, filler)]);
      let reads = 0;
      const counted = new Proxy(block, {
        get(target, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
          return Reflect.get(target, key);
        },
      });
      const result = new HpackDecoder(LIMITS).decode(counted, 0, block.length, []);
      t.is(result, DecodeResult.CompressionError, `${opening} ${filler}`);
      t.true(reads <= head.length + 8, `${reads} reads after ${opening}`);
    }
  }
});

test('a table that is thrashed by inserts never holds more than its size', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxTableBytes: 4096 });
  for (let round = 0; round < 50; round++) {
    // 1,000 entries without name or value, at the 32 bytes that an entry costs at least.
    const block = Buffer.concat(Array.from({ length: 1000 }, () => bytesOf('40 00 00')));
    t.is(decodeBlock(decoder, block).length, 2000);
    t.is(decoder.table.length, 128);
    t.is(decoder.table.sizeBytes, 4096);
  }
});

test('a table that is emptied and refilled in every block stays in step', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  for (let round = 0; round < 1000; round++) {
    t.deepEqual(decodeBlock(decoder, bytesOf('20 3fe11f 40 01 61 01 62 be')), ['a', 'b', 'a', 'b']);
    t.deepEqual(tableOf(decoder), ['a: b']);
  }
});

test('a value that fits into the list and not into the table empties the table and is not kept', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxTableBytes: 100 });
  const block = Buffer.concat([bytesOf('40 01 61 01 62 40 01 63 7f e9 07'), Buffer.alloc(1128, 'x')]);
  t.is(decodeBlock(decoder, block).length, 4);
  t.is(decoder.table.length, 0);
  t.is(decoder.table.sizeBytes, 0);
});

test('a decoder that nobody has used holds no table', (t) => {
  const decoder = new HpackDecoder(LIMITS);
  for (let i = 0; i < 100; i++) decodeBlock(decoder, bytesOf('82 84 86 00 01 61 01 62'));
  t.is(decoder.table.inserted, 0);
});
