import test from 'ava';
import { DecodeResult, HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { bytesOf, decodeBlock, ROOMY, tableOf, tryDecode } from './coding.ts';

const { Ok, CompressionError, ListTooLarge } = DecodeResult;

function resultOf(hex: string): DecodeResult {
  return tryDecode(new HpackDecoder(ROOMY), hex).result;
}

test('fields are appended behind what the list already holds', (t) => {
  const fields = ['a', 'b'];
  const block = bytesOf('ff 82 84 ff');
  t.is(new HpackDecoder(ROOMY).decode(block, 1, 3, fields), Ok);
  t.deepEqual(fields, ['a', 'b', ':method', 'GET', ':path', '/']);
});

test('an empty block is an empty list', (t) => {
  t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), bytesOf('')), []);
});

test('a plain Uint8Array decodes as a Buffer does, at any length of string', (t) => {
  for (let length = 0; length < 40; length++) {
    const value = 'x'.repeat(length);
    const block = new Uint8Array([0x00, 0x01, 0x61, length, ...Buffer.from(value)]);
    t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), block), ['a', value]);
    t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), Buffer.from(block)), ['a', value]);
  }
});

test('octets above 127 become the latin1 characters of the same number', (t) => {
  t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), bytesOf('00 01 61 03 80e9ff')), ['a', '\x80\xe9\xff']);
});

test('names keep the case in which they arrived', (t) => {
  t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), bytesOf('00 02 4162 01 31')), ['Ab', '1']);
});

test('index 0 is an error (RFC 7541 section 6.1)', (t) => {
  t.is(resultOf('80'), CompressionError);
});

test('an index one beyond the tables is an error, in an indexed field and in a literal (RFC 7541 section 2.3.3)', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  decodeBlock(decoder, bytesOf('40 01 61 01 62'));
  t.deepEqual(decodeBlock(decoder, bytesOf('be')), ['a', 'b']);
  t.is(tryDecode(decoder, 'bf').result, CompressionError);
  t.is(resultOf('be'), CompressionError);
  t.is(resultOf('7e 01 62'), CompressionError);
  t.is(resultOf('0f 2f 01 62'), CompressionError);
  t.is(resultOf('1f 2f 01 62'), CompressionError);
});

test('the last static entry and the first dynamic one are neighbours', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  t.deepEqual(decodeBlock(decoder, bytesOf('40 01 61 01 62 bd be 0f 2f 01 63')), [
    ...['a', 'b', 'www-authenticate', '', 'a', 'b', 'a', 'c'],
  ]);
});

test('a block that is cut off anywhere is an error (RFC 7541 section 5)', (t) => {
  const whole = bytesOf('82 40 0a 637573746f6d2d6b6579 8c f1e3c2e5f23a6ba0ab90f4ff 0f 2f 03 313233');
  const boundaries = new Set([0, 1, 26, whole.length]);
  for (let length = 0; length <= whole.length; length++) {
    const decoder = new HpackDecoder(ROOMY);
    decodeBlock(decoder, bytesOf('40 01 61 01 62'));
    const result = decoder.decode(whole, 0, length, []);
    t.is(result, boundaries.has(length) ? Ok : CompressionError, `${length} bytes`);
  }
});

test('an integer of more than four octets after its prefix is an error (RFC 7541 section 5.1)', (t) => {
  // 127 + 0, with zeros as padding: allowed, bounded.
  t.is(resultOf(`00 01 61 7f 80 80 80 00${'62'.repeat(127)}`), Ok);
  t.is(resultOf(`00 01 61 7f 80 80 80 80 00${'62'.repeat(127)}`), CompressionError);
  t.is(resultOf('ff ff ff ff ff ff ff ff ff 0f'), CompressionError);
});

test('an integer that would wrap 32 or 64 bits is an error, not a small number (RFC 7541 section 5.1)', (t) => {
  // 2^32 + 2 and 2^64 + 2 less the prefix: read modulo the word they would be index 2.
  t.is(resultOf('ff 83 ff ff ff 0f'), CompressionError);
  t.is(resultOf('ff 83 ff ff ff ff ff ff ff ff 01'), CompressionError);
});

test('a string that claims more than the block holds is an error and allocates nothing', (t) => {
  t.is(resultOf('00 01 61 7f ff ff ff 7f 62'), CompressionError);
  t.is(resultOf('00 01 61 ff ff ff ff 7f 62'), CompressionError);
});

test('a wrong Huffman string is an error, in a name and in a value (RFC 7541 section 5.2)', (t) => {
  t.is(resultOf('00 81 ff 01 62'), CompressionError);
  t.is(resultOf('00 01 61 81 ff'), CompressionError);
  t.is(resultOf('00 01 61 84 ff ff ff ff'), CompressionError);
});

test('a Huffman string larger than the shared buffer decodes', (t) => {
  // 40,000 zeros of five bits are 25,000 octets.
  const length = 25_000;
  const block = Buffer.concat([bytesOf('00 01 61 ff a9 c2 01'), Buffer.alloc(length)]);
  t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), block), ['a', '0'.repeat(40_000)]);
});

test('an entry larger than the table empties it and is no error (RFC 7541 section 4.4)', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxTableBytes: 70 });
  decodeBlock(decoder, bytesOf('40 01 61 01 62 40 01 63 01 64'));
  t.deepEqual(tableOf(decoder), ['c: d', 'a: b']);
  const block = Buffer.concat([bytesOf('40 01 65 26'), Buffer.alloc(38, 'x')]);
  t.deepEqual(decodeBlock(decoder, block), ['e', 'x'.repeat(38)]);
  t.deepEqual(tableOf(decoder), []);
  t.is(decoder.table.sizeBytes, 0);
});

test('an entry may take its name from an entry that it evicts (RFC 7541 section 4.4)', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxTableBytes: 40 });
  t.deepEqual(decodeBlock(decoder, bytesOf('40 01 61 01 62 7e 02 6363')), ['a', 'b', 'a', 'cc']);
  t.deepEqual(tableOf(decoder), ['a: cc']);
});

test('a size update evicts the oldest entries (RFC 7541 section 4.3)', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  decodeBlock(decoder, bytesOf('40 01 61 01 62 40 01 63 01 64 40 01 65 01 66'));
  // 68 bytes hold two entries of 34.
  t.deepEqual(decodeBlock(decoder, bytesOf('3f 25 be')), ['e', 'f']);
  t.deepEqual(tableOf(decoder), ['e: f', 'c: d']);
  t.is(decoder.table.capacityBytes, 68);
});

test('a size update to the limit is accepted, and one above it is an error (RFC 7541 section 6.3)', (t) => {
  t.is(resultOf('3f e1 1f'), Ok);
  t.is(resultOf('3f e2 1f'), CompressionError);
});

test('a size update after a field line is an error (RFC 7541 section 4.2)', (t) => {
  t.is(resultOf('20 82'), Ok);
  t.is(resultOf('82 20'), CompressionError);
  t.is(resultOf('20 82 20'), CompressionError);
});

test('two size updates may start a block, three are an error (RFC 7541 section 4.2)', (t) => {
  t.is(resultOf('20 3f e1 1f 82'), Ok);
  t.is(resultOf('20 20 20 82'), CompressionError);
});

test('after the limit went below the table’s size, the next block must start with an update (RFC 9113 section 4.3.1)', (t) => {
  const reduced = (): HpackDecoder => {
    const decoder = new HpackDecoder(ROOMY);
    decodeBlock(decoder, bytesOf('40 01 61 01 62'));
    decoder.setMaxTableBytes(100);
    return decoder;
  };
  t.is(tryDecode(reduced(), '82').result, CompressionError);
  t.is(tryDecode(reduced(), '').result, CompressionError);
  t.is(tryDecode(reduced(), '3f 46 82').result, CompressionError, 'an update to 101');
  const decoder = reduced();
  t.is(tryDecode(decoder, '3f 45 82').result, Ok, 'an update to 100');
  t.is(tryDecode(decoder, '82').result, Ok, 'and none in the block after it');
  t.deepEqual(tableOf(decoder), ['a: b']);
});

test('after the limit went down and up, the first update must reach the lowest (RFC 7541 section 4.2)', (t) => {
  const moved = (): HpackDecoder => {
    const decoder = new HpackDecoder(ROOMY);
    decoder.setMaxTableBytes(0);
    decoder.setMaxTableBytes(50);
    decoder.setMaxTableBytes(4096);
    return decoder;
  };
  t.is(tryDecode(moved(), '3f e1 1f 82').result, CompressionError);
  t.is(tryDecode(moved(), '82').result, CompressionError);
  t.is(tryDecode(moved(), '20 3f e1 1f 82').result, Ok);
  t.is(tryDecode(moved(), '20 82').result, Ok);
});

test('after the limit rose, an update is allowed and not required (RFC 7541 section 4.2)', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  decoder.setMaxTableBytes(8192);
  t.is(tryDecode(decoder, '82').result, Ok);
  t.is(decoder.table.capacityBytes, 4096);
  t.is(tryDecode(decoder, '3f e1 3f 82').result, Ok);
  t.is(decoder.table.capacityBytes, 8192);
});

test('a limit below one that the peer had already gone under requires nothing', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  t.is(tryDecode(decoder, '20 82').result, Ok);
  decoder.setMaxTableBytes(100);
  t.is(tryDecode(decoder, '82').result, Ok);
});

test('maxFieldListBytes counts name, value and 32 for each line, exactly (RFC 9113 section 6.5.2)', (t) => {
  // :method GET is 7 + 3 + 32 = 42.
  const at = new HpackDecoder({ ...ROOMY, maxFieldListBytes: 84 });
  t.deepEqual(tryDecode(at, '82 82'), { result: Ok, fields: [':method', 'GET', ':method', 'GET'] });
  const below = new HpackDecoder({ ...ROOMY, maxFieldListBytes: 83 });
  t.deepEqual(tryDecode(below, '82 82'), { result: ListTooLarge, fields: [':method', 'GET'] });
});

test('maxFieldLines is the number of lines that pass', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxFieldLines: 2 });
  t.is(tryDecode(decoder, '82 84').result, Ok);
  t.deepEqual(tryDecode(decoder, '82 84 86'), {
    result: ListTooLarge,
    fields: [':method', 'GET', ':path', '/'],
  });
});

test('beyond a limit nothing more is kept, not even a line that would fit', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxFieldListBytes: 100 });
  const block = Buffer.concat([bytesOf('82 00 01 61 40'), Buffer.alloc(64, 'x'), bytesOf('84')]);
  const fields: string[] = [];
  t.is(decoder.decode(block, 0, block.length, fields), ListTooLarge);
  t.deepEqual(fields, [':method', 'GET']);
});

test('beyond a limit the dynamic table stays in step, so the next block decodes', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxFieldLines: 1 });
  t.is(tryDecode(decoder, '82 40 01 61 01 62 50 01 63').result, ListTooLarge);
  t.deepEqual(tableOf(decoder), ['accept-encoding: c', 'a: b']);
  t.deepEqual(tryDecode(decoder, 'bf'), { result: Ok, fields: ['a', 'b'] });
});

test('beyond a limit a broken block is still a compression error', (t) => {
  const decoder = new HpackDecoder({ ...ROOMY, maxFieldLines: 1 });
  t.is(tryDecode(decoder, '82 84 00 01 61 81 ff').result, CompressionError);
  const other = new HpackDecoder({ ...ROOMY, maxFieldLines: 1 });
  t.is(tryDecode(other, '82 84 80').result, CompressionError);
});
