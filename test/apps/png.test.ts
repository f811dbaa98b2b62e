import { deflateSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { Refusal } from '../../apps/site/routing.ts';
import type { Picture } from '../../apps/thumbnail/picture.ts';
import { decodePng, MAX_SCANLINE_BYTES } from '../../apps/thumbnail/png-decoder.ts';
import { encodePng } from '../../apps/thumbnail/png-encoder.ts';
import { chunk, expectedPixel, headerChunk, type PngSpec, SIGNATURE, writePng } from './png-writer.ts';

function pixelsOf(file: Uint8Array, width: number): number[][] {
  const rows: number[][] = [];
  decodePng(file, { row: (rgba, offset) => rows.push([...rgba.subarray(offset, offset + width * 4)]) });
  return rows;
}

function refusalOf(file: Uint8Array): Refusal {
  try {
    pixelsOf(file, 1);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('expected a refusal, the file was decoded');
}

const TYPES = [
  [0, 1],
  [0, 2],
  [0, 4],
  [0, 8],
  [0, 16],
  [2, 8],
  [2, 16],
  [3, 1],
  [3, 2],
  [3, 4],
  [3, 8],
  [4, 8],
  [4, 16],
  [6, 8],
  [6, 16],
] as const;

/** Repeatable noise: the same coordinates give the same sample. */
function noise(seed: number, limit: number): (x: number, y: number, channel: number) => number {
  return (x, y, channel) => {
    let hash =
      (seed ^
        Math.imul(x + 1, 0x9e3779b1) ^
        Math.imul(y + 1, 0x85ebca6b) ^
        Math.imul(channel + 1, 0xc2b2ae35)) |
      0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return ((hash ^ (hash >>> 12)) >>> 0) % limit;
  };
}

const specs = fc
  .record({
    type: fc.constantFrom(...TYPES),
    width: fc.integer({ min: 1, max: 19 }),
    height: fc.integer({ min: 1, max: 19 }),
    interlaced: fc.boolean(),
    seed: fc.integer(),
    filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 20 }),
    hasTransparency: fc.boolean(),
    dataChunks: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ type: [colorType, bitDepth], seed, filters, hasTransparency, ...rest }): PngSpec => {
    const spec: PngSpec = {
      ...rest,
      colorType,
      bitDepth,
      sample: noise(seed, 2 ** bitDepth),
      filter: (row) => filters[row % filters.length],
      ...(colorType === 3
        ? { palette: Array.from({ length: 2 ** bitDepth }, (_, i) => [i, 255 - i, (i * 7) & 255] as const) }
        : {}),
    };
    if (!hasTransparency || colorType >= 4) return spec;
    if (colorType === 3) return { ...spec, transparency: [0, 100] };
    // The first pixel's own colour is the transparent one.
    const channels = colorType === 0 ? 1 : 3;
    const samples = Array.from({ length: channels }, (_, channel) => spec.sample(0, 0, channel));
    return { ...spec, transparency: samples.flatMap((sample) => [sample >> 8, sample & 255]) };
  });

test('every colour type, depth, filter, interlacing and transparency decodes to the pixels it means', (t) => {
  fc.assert(
    fc.property(specs, (spec) => {
      const expected = Array.from({ length: spec.height }, (_, y) =>
        Array.from({ length: spec.width }, (_, x) => expectedPixel(spec, x, y)).flat(),
      );
      t.deepEqual(pixelsOf(writePng(spec), spec.width), expected);
    }),
    { numRuns: 400 },
  );
});

test('a file cut off anywhere is refused, and nothing else happens', (t) => {
  fc.assert(
    fc.property(specs, fc.nat(), (spec, cut) => {
      const file = writePng(spec);
      t.is(refusalOf(file.subarray(0, 8 + (cut % (file.length - 8)))).status, 422);
    }),
    { numRuns: 200 },
  );
});

test('a file with any byte changed after the signature is refused', (t) => {
  fc.assert(
    fc.property(specs, fc.nat(), fc.integer({ min: 1, max: 255 }), (spec, at, flip) => {
      const file = writePng(spec);
      file[8 + (at % (file.length - 8))] ^= flip;
      t.is(refusalOf(file).status, 422);
    }),
    { numRuns: 200 },
  );
});

function png(header: Parameters<typeof headerChunk>, scanlines: Uint8Array, ...before: Buffer[]): Buffer {
  return Buffer.concat([
    SIGNATURE,
    headerChunk(...header),
    ...before,
    chunk('IDAT', deflateSync(scanlines)),
    chunk('IEND', []),
  ]);
}

test('compressed data that would exceed the dimensions is refused', (t) => {
  const bomb = png([1, 1, [8, 0, 0, 0, 0]], Buffer.alloc(50_000_000));
  t.true(bomb.length < 60_000);
  const refusal = refusalOf(bomb);
  t.is(refusal.status, 422);
  t.regex(refusal.message, /more than the 2 bytes/);
});

test('dimensions that would decompress to more than 128 MiB are refused before anything is decompressed', (t) => {
  const side = Math.ceil(Math.sqrt(MAX_SCANLINE_BYTES / 8));
  const refusal = refusalOf(png([side, side, [16, 6, 0, 0, 0]], Buffer.alloc(1)));
  t.is(refusal.status, 413);
});

test('compressed data that is too short for the dimensions is refused', (t) => {
  t.regex(refusalOf(png([4, 4, [8, 0, 0, 0, 0]], Buffer.alloc(10))).message, /10 bytes of scanlines.*20/);
});

test('a filter that does not exist is refused', (t) => {
  t.regex(refusalOf(png([1, 1, [8, 0, 0, 0, 0]], Buffer.of(5, 0))).message, /filter 5/);
});

test('an unknown chunk is skipped unless it is marked as critical', (t) => {
  const row = Buffer.of(0, 7);
  t.deepEqual(pixelsOf(png([1, 1, [8, 0, 0, 0, 0]], row, chunk('abCd', [1, 2])), 1), [[7, 7, 7, 255]]);
  t.regex(refusalOf(png([1, 1, [8, 0, 0, 0, 0]], row, chunk('ABCD', []))).message, /unknown critical chunk/);
});

test('unknown types, depths and methods are refused, and so is an indexed image without a palette', (t) => {
  for (const rest of [
    [8, 1, 0, 0, 0],
    [3, 0, 0, 0, 0],
    [4, 2, 0, 0, 0],
    [16, 3, 0, 0, 0],
    [8, 0, 1, 0, 0],
    [8, 0, 0, 1, 0],
    [8, 0, 0, 0, 2],
    [8, 3, 0, 0, 0],
  ] as const) {
    t.is(refusalOf(png([1, 1, [...rest]], Buffer.of(0, 0))).status, 422, rest.join());
  }
});

test('any encoded picture decodes to itself', (t) => {
  const pictures = fc
    .record({
      width: fc.integer({ min: 1, max: 17 }),
      height: fc.integer({ min: 1, max: 9 }),
      opaque: fc.boolean(),
      seed: fc.integer(),
    })
    .map(({ width, height, opaque, seed }): Picture => {
      const sample = noise(seed, 256);
      const rgba = new Uint8ClampedArray(width * height * 4).map((_, i) =>
        opaque && i % 4 === 3 ? 255 : sample(i, 0, 0),
      );
      return { width, height, rgba };
    });
  fc.assert(
    fc.property(pictures, (picture) => {
      t.deepEqual(pixelsOf(encodePng(picture), picture.width).flat(), [...picture.rgba]);
    }),
    { numRuns: 200 },
  );
});
