// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { DecodeResult, HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../runtime/http2/hpack/encoder.ts';
import { defaultIndexing, Indexing } from '../../../runtime/http2/hpack/indexing-policy.ts';
import { isMarked } from '../../../wire/field-marks.ts';
import { bytesOf, decodeBlock, encodeFields, encodeResponse, ROOMY, tableOf } from './coding.ts';

const latin1 = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((octets) => Buffer.from(octets).toString('latin1'));

/** Few names and values, so that they repeat; a long one now and then, so that entries are evicted. */
const name = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('content-type', 'date', 'cookie', ':status', ':path', 'x-a', 'x-b', ''),
  },
  // A mark is no part of a name.
  { weight: 1, arbitrary: latin1(40).filter((text) => !isMarked(text)) },
);
const value = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('', '200', '/', 'gzip', 'one', 'two', 'Tue, 21 Oct 2025 10:00:00 GMT'),
  },
  { weight: 2, arbitrary: latin1(40) },
  { weight: 1, arbitrary: latin1(600) },
);
const fieldList = fc.array(fc.tuple(name, value), { maxLength: 12 }).map((pairs) => pairs.flat());

const tableBytes = fc.oneof(fc.nat(200), fc.nat(5000), fc.constantFrom(0, 4096));
/** What happens on a connection: the peer's decoder gets other limits, then a block is sent. */
const turn = fc.record({
  resizes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(tableBytes, { maxLength: 3 })),
  status: fc.option(fc.integer({ min: 100, max: 999 })),
  fields: fieldList,
});
const policies = [defaultIndexing, () => Indexing.AtOnce, () => Indexing.OnRepeat, () => Indexing.Never];

test('any fields survive encoding and decoding over many blocks, whatever happens to the table in between', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        maxTableBytes: tableBytes,
        huffman: fc.boolean(),
        indexingOf: fc.constantFrom(...policies),
      }),
      fc.array(turn, { maxLength: 30 }),
      (options, turns) => {
        const encoder = new HpackEncoder(options);
        const decoder = new HpackDecoder(ROOMY);
        for (const { resizes, status, fields } of turns) {
          for (const bytes of resizes) {
            encoder.setPeerMaxTableBytes(bytes);
            decoder.setMaxTableBytes(bytes);
          }
          const block =
            status === null ? encodeFields(encoder, fields) : encodeResponse(encoder, status, fields);
          const expected = status === null ? fields : [':status', String(status), ...fields];
          assert.deepEqual(decodeBlock(decoder, block), expected);
          assert.deepEqual(tableOf(decoder), tableOf(encoder));
          assert.equal(decoder.table.sizeBytes, encoder.table.sizeBytes);
          assert.equal(decoder.table.capacityBytes, encoder.table.capacityBytes);
          assert.ok(decoder.table.sizeBytes <= decoder.table.capacityBytes);
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

/** Legal pieces and noise: blocks that get further into the decoder than octets at random. */
const piece = fc.oneof(
  fc
    .constantFrom('82', '88', 'be', 'bf', 'c4', 'ff00', '20', '3f21', '3fe11f', '80', 'ffffffff7f')
    .map(bytesOf),
  fc.constantFrom('400161', '00', '10', '7e', '0f2f', '41', '5f00').map(bytesOf),
  fc.constantFrom('0162', '8182', '858182838485', '7f00', 'ff8001').map(bytesOf),
  fc.uint8Array({ maxLength: 20 }).map((octets) => Buffer.from(octets)),
);
const anyBlock = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));

test('any octets never throw, give the same result every time, and keep every bound', (t) => {
  const options = { maxTableBytes: 200, maxFieldListBytes: 400, maxFieldLines: 6 };

  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 6 }), fc.nat(9), (blocks, margin) => {
      const run = (lead: number): unknown[] => {
        const decoder = new HpackDecoder(options);
        const seen: unknown[] = [];
        for (const block of blocks) {
          // The same block in another place of another buffer, with other octets round it.
          const placed = Buffer.concat([Buffer.alloc(lead, 0x82), block, Buffer.alloc(lead, 0x82)]);
          const fields: string[] = [];
          const result = decoder.decode(placed, lead, lead + block.length, fields);
          seen.push(result, fields, tableOf(decoder));

          let listBytes = 0;
          for (const text of fields) listBytes += text.length + 16;
          assert.ok(listBytes <= options.maxFieldListBytes);
          assert.ok(fields.length <= options.maxFieldLines * 2);
          assert.ok(decoder.table.sizeBytes <= options.maxTableBytes);
          if (result === DecodeResult.CompressionError) break;
        }
        return seen;
      };
      assert.deepEqual(run(0), run(margin));
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a decoder over its limits keeps the same table as one without', (t) => {
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 6 }), (blocks) => {
      const roomy = new HpackDecoder({ ...ROOMY, maxTableBytes: 200 });
      const tight = new HpackDecoder({ maxTableBytes: 200, maxFieldListBytes: 0, maxFieldLines: 0 });
      for (const block of blocks) {
        const fields: string[] = [];
        const expected = roomy.decode(block, 0, block.length, fields);
        const result = tight.decode(block, 0, block.length, []);
        if (expected === DecodeResult.CompressionError) {
          assert.equal(result, DecodeResult.CompressionError);
          break;
        }
        assert.equal(result, fields.length === 0 ? DecodeResult.Ok : DecodeResult.ListTooLarge);
        assert.deepEqual(tableOf(tight), tableOf(roomy));
      }
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('a response that repeats is encoded as if its list had never been seen', (t) => {
  const lists = fc.array(fieldList, { minLength: 1, maxLength: 4 });
  const marked = lists.map((all) => [
    ...all,
    ['\u0001x-secret', 'one', 'date', 'now'],
    ['content-length', '13'],
  ]);
  const step = fc.record({
    list: fc.nat(5),
    status: fc.constantFrom(200, 404, 299),
    times: fc.integer({ min: 1, max: 5 }),
    resize: fc.option(tableBytes, { freq: 6 }),
    between: fc.option(fieldList, { freq: 6 }),
  });
  fc.assert(
    fc.property(
      marked,
      fc.array(step, { maxLength: 20 }),
      fc.constantFrom(...policies),
      (all, steps, indexingOf) => {
        const one = new HpackEncoder({ maxTableBytes: 4096, indexingOf });
        const other = new HpackEncoder({ maxTableBytes: 4096, indexingOf });
        const frozen = all.map((list) => Object.freeze(list));
        for (const { list, status, times, resize, between } of steps) {
          const fields = frozen[list % frozen.length] as readonly string[];
          if (resize !== null) for (const encoder of [one, other]) encoder.setPeerMaxTableBytes(resize);
          for (let i = 0; i < times; i++) {
            if (between !== null && i === 2) {
              assert.deepEqual(encodeFields(one, between), encodeFields(other, between));
            }
            assert.deepEqual(encodeResponse(one, status, fields), encodeResponse(other, status, [...fields]));
          }
          assert.deepEqual(tableOf(one), tableOf(other));
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});
