import test from 'ava';
import { HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../runtime/http2/hpack/encoder.ts';
import { MAX_UNUSED_VALUES } from '../../../runtime/http2/hpack/indexing-policy.ts';
import { bytesOf, decodeBlock, encodeFields, encodeResponse, ROOMY, tableOf } from './coding.ts';

function newEncoder(maxTableBytes = 4096): HpackEncoder {
  return new HpackEncoder({ maxTableBytes });
}

test('a status in the static table is one byte, another is in the dynamic table from its second use on', (t) => {
  const encoder = newEncoder();
  for (const [status, index] of [
    [200, 8],
    [204, 9],
    [206, 10],
    [304, 11],
    [400, 12],
    [404, 13],
    [500, 14],
  ]) {
    t.deepEqual(encodeResponse(encoder, status, []), Buffer.of(0x80 | index));
  }
  t.deepEqual(encodeResponse(encoder, 503, []), bytesOf('48 03 353033'));
  t.deepEqual(encodeResponse(encoder, 503, []), bytesOf('be'));
});

test('a field that repeats is one byte from its second use on', (t) => {
  const encoder = newEncoder();
  const fields = ['content-type', 'text/html; charset=utf-8', 'server', 'sluice', 'x-frame-options', 'DENY'];
  t.true(encodeResponse(encoder, 200, fields).length > 20);
  t.is(encodeResponse(encoder, 200, fields).length, 4);
});

test('a field with an empty value that the static table has is one byte', (t) => {
  t.deepEqual(encodeFields(newEncoder(), ['via', '']), Buffer.of(0x80 | 60));
});

test('names without a static entry are sent once, then by index', (t) => {
  const encoder = newEncoder();
  t.is(encodeFields(encoder, ['x-kind', 'one'])[0], 0x40);
  t.is(encodeFields(encoder, ['x-kind', 'two'])[0], 0x40 | 62);
});

test('each of the last eight values of a name is found again', (t) => {
  const encoder = newEncoder();
  const values = Array.from({ length: 8 }, (_, i) => `type/${i}`);
  for (const value of values) encodeFields(encoder, ['content-type', value]);
  for (const [i, value] of values.entries()) {
    t.deepEqual(encodeFields(encoder, ['content-type', value]), Buffer.of(0x80 | (62 + 7 - i)));
  }
  // Only the newest eight are compared, so a ninth costs the first one its index and nothing else.
  encodeFields(encoder, ['content-type', 'type/8']);
  t.is(encodeFields(encoder, ['content-type', 'type/0'])[0], 0x40 | 31);
  t.is(encodeFields(encoder, ['content-type', 'type/0']).length, 1);
});

for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie']) {
  test(`${name} is marked never-indexed, however often it comes (RFC 7541 section 7.1.3)`, (t) => {
    const encoder = newEncoder();
    for (let i = 0; i < 3; i++) {
      const block = encodeFields(encoder, [name, 'secret']);
      t.is(block[0] & 0xf0, 0x10);
      t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), block), [name, 'secret']);
    }
    t.is(encoder.table.length, 0);
  });
}

for (const name of ['content-length', 'date', 'etag', 'last-modified', 'location', ':path']) {
  test(`${name} is put into the table when the same value comes twice running`, (t) => {
    const encoder = newEncoder();
    t.is(encodeFields(encoder, [name, 'first'])[0] & 0xf0, 0x00);
    t.is(encodeFields(encoder, [name, 'second'])[0] & 0xf0, 0x00);
    t.is(encodeFields(encoder, [name, 'first'])[0] & 0xf0, 0x00);
    t.is(encoder.table.length, 0);
    t.is(encodeFields(encoder, [name, 'first'])[0] & 0xc0, 0x40);
    t.deepEqual(encodeFields(encoder, [name, 'first']), bytesOf('be'));
  });
}

test('of fields that do not come again the name goes into the table and no value, and the block before them stays the same', (t) => {
  const encoder = newEncoder();
  const decoder = new HpackDecoder(ROOMY);
  const fields = Object.freeze(['content-type', 'text/plain', 'x-kind', 'page']);
  const lengths: number[] = [];
  for (let i = 0; i < 200; i++) {
    const once = ['x-request-id', `id-${1_000 + i}`, 'server-timing', 'app;dur=1'];
    const out = Buffer.alloc(encoder.maxEncodedBytes(fields) + encoder.maxEncodedBytes(once));
    const end = encoder.encodeResponse(200, fields, out, 0);
    lengths.push(end);
    const block = out.subarray(0, encoder.encodeOnce(once, out, end));
    t.deepEqual(decodeBlock(decoder, block), [':status', '200', ...fields, ...once]);
  }
  t.deepEqual([...new Set(lengths.slice(1))], [3], 'references alone');
  t.deepEqual(tableOf(encoder), [
    'server-timing: app;dur=1',
    'x-request-id: id-1000',
    'x-kind: page',
    'content-type: text/plain',
  ]);
});

test('a name that the table has lost goes in again, and without a table it is sent each time', (t) => {
  const decoder = new HpackDecoder(ROOMY);
  const encoder = newEncoder();
  for (const value of ['first', 'second']) {
    const out = Buffer.alloc(encoder.maxEncodedBytes(['x-request-id', value]));
    const block = out.subarray(0, encoder.encodeOnce(['x-request-id', value], out, 0));
    t.is(block[0], 0x40, 'a literal with its name, for the table');
    t.deepEqual(decodeBlock(decoder, block), ['x-request-id', value]);
    for (let i = 0; i < 10; i++)
      decodeBlock(decoder, encodeFields(encoder, [`x-${value}-${i}`, 'y'.repeat(500)]));
  }
  const bare = newEncoder(0);
  for (const name of ['x-request-id', 'set-cookie', 'age']) {
    const out = Buffer.alloc(bare.maxEncodedBytes([name, 'value']));
    const end = bare.encodeOnce([name, 'value'], out, bare.encodeFields([], out, 0));
    t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), out.subarray(0, end)), [name, 'value']);
  }
  t.is(bare.table.inserted, 0);
});

test('a credential is never indexed, though its value does not come again', (t) => {
  const encoder = newEncoder();
  const out = Buffer.alloc(encoder.maxEncodedBytes(['set-cookie', 'a=1']));
  encoder.encodeOnce(['set-cookie', 'a=1'], out, 0);
  t.is((out[0] as number) & 0xf0, 0x10);
  t.is(encoder.table.inserted, 0);
});

test('a name whose values are never used again stops filling the table', (t) => {
  const encoder = newEncoder();
  for (let i = 0; i < 100; i++) encodeFields(encoder, ['x-request-id', `id ${i}`]);
  t.is(encoder.table.inserted, MAX_UNUSED_VALUES + 1);
  // One that does repeat still gets in.
  encodeFields(encoder, ['x-request-id', 'again']);
  encodeFields(encoder, ['x-request-id', 'again']);
  t.is(encodeFields(encoder, ['x-request-id', 'again']).length, 1);
});

test('a name whose values are used again is still put into the table at once', (t) => {
  const encoder = newEncoder();
  for (let i = 0; i < 50; i++) {
    encodeFields(encoder, ['content-type', `type/${i}`]);
    t.is(encodeFields(encoder, ['content-type', `type/${i}`]).length, 1);
  }
});

test('a field of more than half the table does not go into it', (t) => {
  const encoder = newEncoder();
  encodeFields(encoder, ['x-a', 'y'.repeat(2048 - 32 - 3)]);
  t.is(encoder.table.length, 1);
  encodeFields(encoder, ['x-b', 'y'.repeat(2048 - 32 - 3 + 1)]);
  t.is(encoder.table.length, 1);
});

test('names beyond the remembered ones only cost literals', (t) => {
  const encoder = newEncoder();
  const decoder = new HpackDecoder(ROOMY);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 1000; i++) {
      const fields = [`x-${i}`, 'value', 'server', 'sluice'];
      t.deepEqual(decodeBlock(decoder, encodeFields(encoder, fields)), fields);
    }
  }
});

test('strings are Huffman-coded exactly when that is shorter (RFC 7541 section 5.2)', (t) => {
  t.deepEqual(encodeFields(newEncoder(0), ['aaa', '~~~']), bytesOf('20 00 82 18c7 03 7e7e7e'));
});

test('without huffman no string is coded', (t) => {
  const encoder = new HpackEncoder({ maxTableBytes: 4096, huffman: false });
  t.deepEqual(encodeFields(encoder, ['aaa', 'bbb']), bytesOf('40 03 616161 03 626262'));
});

test('strings of every length around the buffers’ sizes are encoded correctly', (t) => {
  const encoder = newEncoder();
  const decoder = new HpackDecoder(ROOMY);
  for (const length of [0, 1, 15, 16, 17, 126, 127, 128, 254, 255, 4095, 4096, 4097, 16_384, 70_000]) {
    for (const character of ['a', '~', '\xff']) {
      const fields = ['x-long', character.repeat(length)];
      t.deepEqual(decodeBlock(decoder, encodeFields(encoder, fields)), fields);
    }
  }
});

test('a code unit above 255 is sent as its low octet and leaves the tables in step', (t) => {
  const encoder = newEncoder();
  const decoder = new HpackDecoder(ROOMY);
  for (const value of ['\u0161', '\u0161'.repeat(20)]) {
    t.deepEqual(decodeBlock(decoder, encodeFields(encoder, ['x-wide', value])), [
      'x-wide',
      value.replaceAll('\u0161', 'a'),
    ]);
    t.is(encoder.table.sizeBytes, decoder.table.sizeBytes);
  }
});

test('the block begins at the given offset, and nothing before it is touched', (t) => {
  const encoder = newEncoder();
  const out = Buffer.alloc(64, 0xee);
  const end = encoder.encodeResponse(200, ['server', 'sluice'], out, 9);
  t.deepEqual(out.subarray(0, 9), Buffer.alloc(9, 0xee));
  t.deepEqual(decodeBlock(new HpackDecoder(ROOMY), out.subarray(9, end)), [
    ':status',
    '200',
    'server',
    'sluice',
  ]);
});

test('a cap below 4,096 is announced in the first block and only there (RFC 7541 section 4.2)', (t) => {
  const encoder = newEncoder(100);
  t.deepEqual(encodeResponse(encoder, 200, []), bytesOf('3f45 88'));
  t.deepEqual(encodeResponse(encoder, 200, []), bytesOf('88'));
  t.is(encoder.table.capacityBytes, 100);
});

test('a cap above 4,096 waits for the peer to allow it', (t) => {
  const encoder = newEncoder(65_536);
  t.deepEqual(encodeResponse(encoder, 200, []), bytesOf('88'));
  t.is(encoder.table.capacityBytes, 4096);
  encoder.setPeerMaxTableBytes(10_000);
  t.deepEqual(encodeResponse(encoder, 200, []), bytesOf('3ff14d 88'));
  t.is(encoder.table.capacityBytes, 10_000);
});

test('a peer’s limit above the cap changes nothing and is not announced', (t) => {
  const encoder = newEncoder();
  encoder.setPeerMaxTableBytes(2 ** 32 - 1);
  t.deepEqual(encodeResponse(encoder, 200, []), bytesOf('88'));
  encoder.setPeerMaxTableBytes(4096);
  t.deepEqual(encodeResponse(encoder, 200, []), bytesOf('88'));
});

test('a lower limit of the peer evicts and is announced in the next block (RFC 7541 section 4.2)', (t) => {
  const encoder = newEncoder();
  encodeFields(encoder, ['a', 'b', 'c', 'd']);
  encoder.setPeerMaxTableBytes(68);
  encodeFields(encoder, []);
  t.deepEqual(tableOf(encoder), ['c: d', 'a: b']);
  encoder.setPeerMaxTableBytes(34);
  t.deepEqual(tableOf(encoder), ['c: d']);
  t.deepEqual(encodeFields(encoder, []), bytesOf('3f03'));
  encoder.setPeerMaxTableBytes(0);
  t.deepEqual(encodeFields(encoder, ['server', 'sluice'])[0], 0x20);
  t.deepEqual(tableOf(encoder), []);
});

test('a limit that went down and up is announced as the lowest and the last (RFC 7541 section 4.2)', (t) => {
  const encoder = newEncoder();
  encodeFields(encoder, ['a', 'b']);
  encoder.setPeerMaxTableBytes(30);
  encoder.setPeerMaxTableBytes(0);
  encoder.setPeerMaxTableBytes(2000);
  encoder.setPeerMaxTableBytes(1000);
  t.deepEqual(encodeFields(encoder, []), bytesOf('20 3fc907'));
  t.deepEqual(tableOf(encoder), []);
  t.deepEqual(encodeFields(encoder, []), bytesOf(''));
});

test('a limit that returned to its value is still announced, because the peer has evicted (RFC 7541 section 4.2)', (t) => {
  const encoder = newEncoder();
  encodeFields(encoder, ['a', 'b']);
  encoder.setPeerMaxTableBytes(0);
  encoder.setPeerMaxTableBytes(4096);
  t.deepEqual(encodeFields(encoder, ['a', 'b']), bytesOf('20 3fe11f 40 0161 0162'));
});

test('maxEncodedBytes covers the worst block: updates, a status by name, and names and values that do not shrink', (t) => {
  const encoder = newEncoder();
  encoder.setPeerMaxTableBytes(0);
  encoder.setPeerMaxTableBytes(4096);
  const fields = Array.from({ length: 40 }, (_, i) => '~'.repeat(i * 7));
  const bound = encoder.maxEncodedBytes(fields);
  t.true(encodeResponse(encoder, 999, fields).length <= bound);
});
