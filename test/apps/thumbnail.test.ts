import test from 'ava';
import fc from 'fast-check';
import { Refusal } from '../../apps/site/routing.ts';
import thumbnail, { MAX_UPLOAD_BYTES } from '../../apps/thumbnail/app.ts';
import { HeadReader, type ImageHead, MAX_PIXELS, MAX_SIDE } from '../../apps/thumbnail/image-head.ts';
import { decodeJpeg, encodeJpeg, MAX_SCANS } from '../../apps/thumbnail/jpeg-codec.ts';
import { MAX_THUMBNAIL_SIDE, readOptions, targetSize } from '../../apps/thumbnail/options.ts';
import { encodePng } from '../../apps/thumbnail/png-encoder.ts';
import { samplePicture } from '../../apps/thumbnail/sample-picture.ts';
import { ask, type Response } from './memory-exchange.ts';
import { headerChunk, SIGNATURE } from './png-writer.ts';

const PICTURE = samplePicture(120, 80);
const PNG = encodePng(PICTURE);
const JPEG = await encodeJpeg(PICTURE, 90);

function post(query: string, ...body: Uint8Array[]): Promise<Response> {
  return ask(thumbnail, { method: 'POST', path: `/thumbnail${query}`, body });
}

function headOf(file: Uint8Array): ImageHead | null {
  const reader = new HeadReader();
  reader.read(file);
  return reader.head;
}

function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('expected a refusal, there was none');
}

/** A JPEG segment: marker, length, content. */
function segment(marker: number, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + content.length);
  bytes.writeUInt16BE(0xff00 | marker, 0);
  bytes.writeUInt16BE(2 + content.length, 2);
  bytes.set(content, 4);
  return bytes;
}

function frame(width: number, height: number, components: number): Buffer {
  const content = Buffer.alloc(6 + components * 3);
  content[0] = 8;
  content.writeUInt16BE(height, 1);
  content.writeUInt16BE(width, 3);
  content[5] = components;
  return segment(0xc0, content);
}

/** An EXIF segment whose first directory holds the orientation, in either byte order. */
function exif(orientation: number, order: 'II' | 'MM'): Buffer {
  const tiff = Buffer.alloc(26);
  const little = order === 'II';
  const put16 = (value: number, at: number) =>
    little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const put32 = (value: number, at: number) =>
    little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(order, 0, 'latin1');
  put16(42, 2);
  put32(8, 4);
  put16(1, 8);
  put16(0x0112, 10);
  put16(3, 12);
  put32(1, 14);
  put16(orientation, 18);
  return segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff]));
}

const SOI = Buffer.of(0xff, 0xd8);

/** The same JPEG with more segments after its start. */
function withSegments(file: Uint8Array, ...segments: Buffer[]): Buffer {
  return Buffer.concat([SOI, ...segments, file.subarray(2)]);
}

for (const [from, file] of [
  ['png', PNG],
  ['jpeg', JPEG],
] as const) {
  for (const to of ['png', 'jpeg'] as const) {
    test(`a ${from} comes back as a ${to} of the requested width`, async (t) => {
      const response = await post(`?width=30&format=${to}`, file);
      t.is(response.status, 200);
      t.is(response.fields.get('content-type'), `image/${to}`);
      t.is(response.fields.get('content-length'), String(response.bytes.length));
      t.like(headOf(response.bytes), { format: to, width: 30, height: 20 });
    });
  }
}

test('a JPEG decodes to nearly the encoded picture', async (t) => {
  let error = 0;
  let at = 0;
  await decodeJpeg(JPEG, 120, 80, {
    row: (rgba, offset) => {
      for (let i = 0; i < 120 * 4; i++) error += Math.abs(rgba[offset + i] - PICTURE.rgba[at++]);
    },
  });
  t.true(error / at < 25, `the mean difference is ${error / at}`);
});

test('without a size, a thumbnail is 200 pixels wide and never larger than its image', async (t) => {
  t.like(headOf((await post('', PNG)).bytes), { width: 120, height: 80 });
  const wide = encodePng({ width: 400, height: 2, rgba: new Uint8ClampedArray(3200) });
  t.like(headOf((await post('', wide)).bytes), { width: 200, height: 1 });
});

test('a thumbnail fits inside the box and keeps its aspect ratio', (t) => {
  const size = (query: string, width: number, height: number, orientation = 1) =>
    targetSize({ format: 'png', width, height, orientation }, readOptions(new URLSearchParams(query)));
  t.deepEqual(size('width=100&height=100', 400, 200), { width: 100, height: 50 });
  t.deepEqual(size('height=100', 400, 200), { width: 200, height: 100 });
  t.deepEqual(size('width=1', 20_000, 3), { width: 1, height: 1 });
  t.deepEqual(size('height=2048', 20_000, 1000), { width: MAX_THUMBNAIL_SIDE, height: 102 });
  // The photograph lies on its side; the requested width is that of the upright image.
  t.deepEqual(size('width=100', 400, 200, 6), { width: 200, height: 100 });
});

test('the response to a wrong parameter has its name, what was expected and what was received', async (t) => {
  for (const [query, message] of [
    ['?width=0', /^width: expected a whole number from 1 to 2048, got '0'/],
    ['?width=2049', /^width: /],
    ['?width=12px', /^width: .*'12px'/],
    ['?width=', /^width: /],
    ['?width=-5', /^width: /],
    ['?width=1e3', /^width: /],
    ['?height=99999999999', /^height: /],
    ['?quality=101', /^quality: .* 1 to 100/],
    ['?format=webp', /^format: expected png or jpeg, got 'webp'/],
    ['?size=3', /^size: expected one of width, height, format, quality/],
    ['?width=1&width=2', /^width: expected once/],
    ['?__proto__=1', /^__proto__: /],
  ] as const) {
    const response = await post(query, PNG);
    t.is(response.status, 400, query);
    t.regex(response.text, message);
  }
});

test('quality decides how large a JPEG is', async (t) => {
  const low = await post('?format=jpeg&quality=10', PNG);
  const high = await post('?format=jpeg&quality=95', PNG);
  t.true(low.bytes.length * 2 < high.bytes.length);
});

test('transparent areas of a PNG are white in a JPEG', async (t) => {
  const clear = encodePng({ width: 16, height: 16, rgba: new Uint8ClampedArray(1024) });
  const { bytes } = await post('?format=jpeg', clear);
  await decodeJpeg(bytes, 16, 16, {
    row: (rgba, offset) => t.true(rgba.subarray(offset, offset + 64).every((value) => value > 250)),
  });
});

test('a large thumbnail is sent in pieces', async (t) => {
  const noise = samplePicture(300, 200);
  const response = await post('?width=300', encodePng(noise));
  t.true(response.pieces > 1);
  t.is(response.pieces, Math.ceil(response.bytes.length / 16_384));
});

for (const order of ['II', 'MM'] as const) {
  test(`a photograph whose EXIF says that it is rotated comes back upright (${order})`, async (t) => {
    const response = await post('?width=40&format=png', withSegments(JPEG, exif(6, order)));
    t.like(headOf(response.bytes), { width: 40, height: 60 });
  });
}

test('EXIF that is broken, truncated or empty leaves a photograph unchanged', async (t) => {
  const sound = exif(6, 'II');
  // The last four bytes only say that there is no second directory.
  for (let length = 4; length < sound.length - 4; length++) {
    const cut = segment(0xe1, sound.subarray(4, length));
    t.like(headOf(withSegments(JPEG, cut)), { width: 120, height: 80, orientation: 1 });
  }
  await fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      const head = headOf(
        withSegments(JPEG, segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0II'), noise]))),
      );
      t.true(head !== null && head.orientation >= 1 && head.orientation <= 8);
    }),
  );
  t.is(headOf(withSegments(JPEG, exif(9, 'II')))?.orientation, 1);
});

test('the head is found however the file is split', (t) => {
  const files = [PNG, JPEG, withSegments(JPEG, exif(3, 'MM'), segment(0xe2, Buffer.alloc(3000)))];
  for (const file of files) {
    const whole = headOf(file);
    const reader = new HeadReader();
    for (let length = 0; length < 4000 && reader.head === null; length++)
      reader.read(file.subarray(0, length));
    t.deepEqual(reader.head, whole);
    t.not(whole, null);
  }
});

test('anything but an image is refused at its first byte, before more of it is read', async (t) => {
  let pulled = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      pulled++;
      yield Buffer.from('GIF89a');
    }
  }
  const response = await ask(thumbnail, { method: 'POST', path: '/thumbnail', body: body() });
  t.is(response.status, 415);
  t.is(pulled, 1);
});

test('an image whose head announces too many pixels is refused before its data is read', async (t) => {
  const square = Math.ceil(Math.sqrt(MAX_PIXELS)) + 1;
  for (const [width, height] of [
    [square, square],
    [MAX_SIDE + 1, 1],
    [1, MAX_SIDE + 1],
    [0x7fffffff, 0x7fffffff],
  ]) {
    const png = Buffer.concat([SIGNATURE, headerChunk(width, height, [8, 6, 0, 0, 0])]);
    t.is((await post('', png)).status, 413, `png ${width} × ${height}`);
    if (width > 0xffff) continue;
    const jpeg = Buffer.concat([SOI, frame(width, height, 3)]);
    t.is((await post('', jpeg)).status, 413, `jpeg ${width} × ${height}`);
  }
});

test('an image with the largest allowed number of pixels is not refused by its head', (t) => {
  const png = Buffer.concat([SIGNATURE, headerChunk(5000, MAX_PIXELS / 5000, [8, 6, 0, 0, 0])]);
  t.like(headOf(png), { width: 5000, height: 5000 });
});

test('broken heads are refused', (t) => {
  const damaged = Buffer.from(PNG);
  damaged[20] ^= 1;
  for (const [file, status, message] of [
    [damaged, 422, /IHDR/],
    [Buffer.concat([SIGNATURE, headerChunk(0, 5, [8, 6, 0, 0, 0])]), 422, /0 × 5/],
    [Buffer.concat([SOI, frame(0, 5, 3)]), 422, /0 × 5/],
    [Buffer.concat([SOI, frame(5, 5, 4)]), 415, /4 colour components/],
    [Buffer.concat([SOI, segment(0xc0, Buffer.alloc(2))]), 422, /too short/],
    [Buffer.concat([SOI, segment(0xda, Buffer.alloc(8))]), 422, /no frame header/],
    [Buffer.concat([SOI, Buffer.of(0xff, 0xe0, 0, 0), Buffer.alloc(8)]), 422, /no marker/],
    [
      Buffer.concat([SOI, ...Array.from({ length: 40 }, () => segment(0xe2, Buffer.alloc(65_533)))]),
      422,
      /first 2097152 bytes/,
    ],
  ] as const) {
    const refusal = refusalOf(() => headOf(file));
    t.is(refusal.status, status);
    t.regex(refusal.message, message);
  }
});

test('an image that ends inside its head is refused', async (t) => {
  t.is((await post('', PNG.subarray(0, 20))).status, 422);
  t.is((await post('', JPEG.subarray(0, 6))).status, 422);
  t.is((await post('')).status, 422);
});

test('a JPEG cut off anywhere is refused, and the next valid one is not', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: JPEG.length - 3 }), async (length) => {
      t.is((await post('?width=20', JPEG.subarray(0, length))).status, 422, String(length));
    }),
    { numRuns: 40 },
  );
  t.is((await post('?width=20', JPEG)).status, 200);
});

test('a JPEG with changed bytes is decoded or refused, and nothing else happens', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat({ max: 255 }), async (at, value) => {
      const damaged = Buffer.from(JPEG);
      damaged[3 + (at % (damaged.length - 3))] = value;
      t.true([200, 413, 415, 422].includes((await post('?width=20', damaged)).status));
    }),
    { numRuns: 150 },
  );
});

test('a JPEG with more scans than any encoder writes is refused before it is decoded', async (t) => {
  const scans = Array.from({ length: MAX_SCANS + 1 }, () => segment(0xda, Buffer.of(1, 1, 0, 0, 0, 0)));
  const response = await post('', Buffer.concat([SOI, frame(5000, 5000, 3), ...scans]));
  t.is(response.status, 422);
  t.regex(response.text, /101 scans; at most 100 /);
});

test('an upload may have 16 MiB; more is refused when announced and when it arrives', async (t) => {
  const announced = await ask(thumbnail, {
    method: 'POST',
    path: '/thumbnail',
    fields: { 'content-length': String(MAX_UPLOAD_BYTES + 1) },
    body: {
      [Symbol.asyncIterator]() {
        throw new Error('the body was read');
      },
    },
  });
  t.is(announced.status, 413);
  const padding = new Uint8Array(1024 * 1024);
  const came = await post('', PNG, ...Array.from({ length: 16 }, () => padding));
  t.is(came.status, 413);
});

test('bytes after the end of an image do no harm', async (t) => {
  t.is((await post('?width=10', PNG, Buffer.from('trailing'))).status, 200);
  t.is((await post('?width=10', JPEG, Buffer.from('trailing'))).status, 200);
});

test('the sample picture is a PNG that can be uploaded again', async (t) => {
  const sample = await ask(thumbnail, { path: '/thumbnail/sample.png' });
  t.is(sample.fields.get('content-type'), 'image/png');
  t.is((await post('?width=50', sample.bytes)).status, 200);
});
