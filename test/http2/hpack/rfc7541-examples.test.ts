import test from 'ava';
import { HpackDecoder } from '../../../runtime/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../runtime/http2/hpack/encoder.ts';
import { Indexing } from '../../../runtime/http2/hpack/indexing-policy.ts';
import { integerRead, readInteger, writeInteger } from '../../../runtime/http2/hpack/integer.ts';
import { bytesOf, decodeBlock, encodeFields, encodeResponse, ROOMY, tableOf } from './coding.ts';

interface Example {
  section: string;
  hex: string;
  fields: string[];
  table: string[];
  tableBytes: number;
}

// C.1: [section, value, prefix bits, hex]
for (const [section, value, prefixBits, hex] of [
  ['C.1.1', 10, 5, '0a'],
  ['C.1.2', 1337, 5, '1f9a0a'],
  ['C.1.3', 42, 8, '2a'],
] as const) {
  test(`RFC 7541 ${section}: the integer ${value} with a ${prefixBits}-bit prefix, both ways`, (t) => {
    const prefixMax = 2 ** prefixBits - 1;
    const bytes = bytesOf(hex);
    const out = Buffer.alloc(bytes.length);
    t.is(writeInteger(out, 0, 0, prefixMax, value), bytes.length);
    t.deepEqual(out, bytes);
    if (bytes[0] === prefixMax) {
      t.is(readInteger(bytes, 1, bytes.length, prefixMax), bytes.length);
      t.is(integerRead, value);
    } else {
      t.is(bytes[0], value);
    }
  });
}

// C.2: each begins with an empty table.
const single: (Example & { indexing: Indexing })[] = [
  {
    section: 'C.2.1',
    hex: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
    fields: ['custom-key', 'custom-header'],
    table: ['custom-key: custom-header'],
    tableBytes: 55,
    indexing: Indexing.AtOnce,
  },
  {
    section: 'C.2.2',
    hex: '040c 2f73 616d 706c 652f 7061 7468',
    fields: [':path', '/sample/path'],
    table: [],
    tableBytes: 0,
    indexing: Indexing.OnRepeat,
  },
  {
    section: 'C.2.3',
    hex: '1008 7061 7373 776f 7264 0673 6563 7265 74',
    fields: ['password', 'secret'],
    table: [],
    tableBytes: 0,
    indexing: Indexing.Never,
  },
  {
    section: 'C.2.4',
    hex: '82',
    fields: [':method', 'GET'],
    table: [],
    tableBytes: 0,
    indexing: Indexing.AtOnce,
  },
];

for (const example of single) {
  test(`RFC 7541 ${example.section}: one field line, both ways`, (t) => {
    const decoder = new HpackDecoder(ROOMY);
    t.deepEqual(decodeBlock(decoder, bytesOf(example.hex)), example.fields);
    t.deepEqual(tableOf(decoder), example.table);
    t.is(decoder.table.sizeBytes, example.tableBytes);

    const encoder = new HpackEncoder({
      maxTableBytes: 4096,
      huffman: false,
      indexingOf: () => example.indexing,
    });
    t.deepEqual(encodeFields(encoder, example.fields), bytesOf(example.hex));
    t.deepEqual(tableOf(encoder), example.table);
  });
}

const requestFields = [
  [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'],
  [
    ...[':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'],
    ...['cache-control', 'no-cache'],
  ],
  [
    ...[':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com'],
    ...['custom-key', 'custom-value'],
  ],
];
const requestTables = [
  [':authority: www.example.com'],
  ['cache-control: no-cache', ':authority: www.example.com'],
  ['custom-key: custom-value', 'cache-control: no-cache', ':authority: www.example.com'],
];
const requestTableBytes = [57, 110, 164];

const date21 = 'Mon, 21 Oct 2013 20:13:21 GMT';
const date22 = 'Mon, 21 Oct 2013 20:13:22 GMT';
const location = 'https://www.example.com';
const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const responseFields = [
  [':status', '302', 'cache-control', 'private', 'date', date21, 'location', location],
  [':status', '307', 'cache-control', 'private', 'date', date21, 'location', location],
  [
    ...[':status', '200', 'cache-control', 'private', 'date', date22, 'location', location],
    ...['content-encoding', 'gzip', 'set-cookie', cookie],
  ],
];
const responseTables = [
  [`location: ${location}`, `date: ${date21}`, 'cache-control: private', ':status: 302'],
  [':status: 307', `location: ${location}`, `date: ${date21}`, 'cache-control: private'],
  [`set-cookie: ${cookie}`, 'content-encoding: gzip', `date: ${date22}`],
];
const responseTableBytes = [222, 222, 215];

interface Story {
  section: string;
  what: string;
  huffman: boolean;
  capacityBytes: number;
  hex: string[];
  /** What our encoder writes instead. */
  encodedHex?: Record<number, string>;
  fields: string[][];
  tables: string[][];
  tableBytes: number[];
}

const stories: Story[] = [
  {
    section: 'C.3',
    what: 'requests without Huffman coding',
    huffman: false,
    capacityBytes: 4096,
    hex: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    fields: requestFields,
    tables: requestTables,
    tableBytes: requestTableBytes,
  },
  {
    section: 'C.4',
    what: 'requests with Huffman coding',
    huffman: true,
    capacityBytes: 4096,
    hex: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    fields: requestFields,
    tables: requestTables,
    tableBytes: requestTableBytes,
  },
  {
    section: 'C.5',
    what: 'responses without Huffman coding, with evictions',
    huffman: false,
    capacityBytes: 256,
    hex: [
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
       2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
       6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
       54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
       5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
       3d31`,
    ],
    fields: responseFields,
    tables: responseTables,
    tableBytes: responseTableBytes,
  },
  {
    section: 'C.6',
    what: 'responses with Huffman coding, with evictions',
    huffman: true,
    capacityBytes: 256,
    hex: [
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
       2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
       77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
       9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ],
    // The RFC's encoder codes "307" to three octets. Ours leaves a string as it is when nothing is gained.
    encodedHex: { 1: '4803 3330 37c1 c0bf' },
    fields: responseFields,
    tables: responseTables,
    tableBytes: responseTableBytes,
  },
];

for (const story of stories) {
  test(`RFC 7541 ${story.section}: ${story.what} decode to the printed fields and tables`, (t) => {
    const decoder = new HpackDecoder({ ...ROOMY, maxTableBytes: story.capacityBytes });
    for (const [i, hex] of story.hex.entries()) {
      t.deepEqual(decodeBlock(decoder, bytesOf(hex)), story.fields[i]);
      t.deepEqual(tableOf(decoder), story.tables[i]);
      t.is(decoder.table.sizeBytes, story.tableBytes[i]);
    }
  });

  test(`RFC 7541 ${story.section}: ${story.what} encode to the printed bytes and tables`, (t) => {
    // The RFC's encoder indexes every line, set-cookie and date too.
    const encoder = new HpackEncoder({
      maxTableBytes: 4096,
      huffman: story.huffman,
      indexingOf: () => Indexing.AtOnce,
    });
    encoder.setPeerMaxTableBytes(story.capacityBytes);
    // The examples begin after the size update, which a block of no fields carries alone.
    t.deepEqual(encodeFields(encoder, []), bytesOf(story.capacityBytes === 4096 ? '' : '3fe101'));
    for (const [i, hex] of story.hex.entries()) {
      const fields = story.fields[i];
      const block =
        fields[0] === ':status'
          ? encodeResponse(encoder, Number(fields[1]), fields.slice(2))
          : encodeFields(encoder, fields);
      t.deepEqual(block, bytesOf(story.encodedHex?.[i] ?? hex));
      t.deepEqual(tableOf(encoder), story.tables[i]);
      t.is(encoder.table.sizeBytes, story.tableBytes[i]);
    }
  });
}
