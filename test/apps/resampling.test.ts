import test from 'ava';
import fc from 'fast-check';
import { turnUpright } from '../../apps/thumbnail/orientation.ts';
import type { Picture } from '../../apps/thumbnail/picture.ts';
import { Resampler } from '../../apps/thumbnail/resampler.ts';

function resample(source: Picture, width: number, height: number): Picture {
  const resampler = new Resampler(source.width, source.height, width, height);
  for (let y = 0; y < source.height; y++) resampler.row(source.rgba, y * source.width * 4);
  return resampler.finish();
}

function picture(width: number, height: number, pixel: (x: number, y: number) => readonly number[]): Picture {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rgba.set(pixel(x, y), (y * width + x) * 4);
  return { width, height, rgba };
}

function pixelAt({ width, rgba }: Picture, x: number, y: number): number[] {
  return [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
}

const sizes = fc
  .record({
    width: fc.integer({ min: 1, max: 90 }),
    height: fc.integer({ min: 1, max: 90 }),
    x: fc.nat(),
    y: fc.nat(),
  })
  .map(({ width, height, x, y }) => ({
    width,
    height,
    toWidth: (x % width) + 1,
    toHeight: (y % height) + 1,
  }));

test('a single colour stays the same at any size', (t) => {
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(sizes, fc.tuple(byte, byte, byte, fc.integer({ min: 1, max: 255 })), (size, color) => {
      const small = resample(
        picture(size.width, size.height, () => color),
        size.toWidth,
        size.toHeight,
      );
      t.is(small.rgba.length, size.toWidth * size.toHeight * 4);
      for (let i = 0; i < small.rgba.length; i++) t.true(Math.abs(small.rgba[i] - color[i % 4]) <= 1);
    }),
    { numRuns: 100 },
  );
});

test('a picture at its own size is unchanged', (t) => {
  const source = picture(13, 7, (x, y) => [x * 19, y * 36, (x * y) % 256, 255]);
  t.deepEqual(resample(source, 13, 7).rgba, source.rgba);
});

test('a picture reduced to one pixel is close to its mean', (t) => {
  const [red, green, , alpha] = pixelAt(
    resample(
      picture(64, 64, (x) => [x < 32 ? 0 : 255, 90, 0, 255]),
      1,
      1,
    ),
    0,
    0,
  );
  t.true(Math.abs(red - 127.5) <= 1);
  t.deepEqual([green, alpha], [90, 255]);
});

test('invisible pixels do not tint visible ones', (t) => {
  const source = picture(40, 40, (x, y) => ((x + y) % 2 === 0 ? [255, 0, 0, 255] : [0, 255, 0, 0]));
  const small = resample(source, 10, 10);
  for (let i = 0; i < small.rgba.length; i += 4) t.deepEqual([...small.rgba.subarray(i, i + 3)], [255, 0, 0]);
});

test('left stays left and top stays top', (t) => {
  const small = resample(
    picture(100, 60, (x, y) => [x < 50 ? 0 : 255, y < 30 ? 0 : 255, 0, 255]),
    10,
    6,
  );
  t.deepEqual(pixelAt(small, 0, 0), [0, 0, 0, 255]);
  t.deepEqual(pixelAt(small, 9, 0), [255, 0, 0, 255]);
  t.deepEqual(pixelAt(small, 0, 5), [0, 255, 0, 255]);
});

/** The corners of a stored picture that is upright as A B / C D, for each EXIF orientation (CIPA DC-008). */
const STORED: readonly (readonly [orientation: number, width: number, corners: string])[] = [
  [1, 3, 'ABCD'],
  [2, 3, 'BADC'],
  [3, 3, 'DCBA'],
  [4, 3, 'CDAB'],
  [5, 2, 'ACBD'],
  [6, 2, 'BDAC'],
  [7, 2, 'DBCA'],
  [8, 2, 'CADB'],
];

for (const [orientation, width, corners] of STORED) {
  test(`a picture stored in orientation ${orientation} is turned upright`, (t) => {
    const height = 5 - width;
    const at = (x: number, y: number) => corners.charCodeAt((y === 0 ? 0 : 2) + (x === 0 ? 0 : 1));
    const isCorner = (x: number, y: number) => (x === 0 || x === width - 1) && (y === 0 || y === height - 1);
    const stored = picture(width, height, (x, y) => [isCorner(x, y) ? at(x, y) : 0, 0, 0, 255]);
    const upright = turnUpright(stored, orientation);
    t.deepEqual([upright.width, upright.height], [3, 2]);
    const seen = [
      pixelAt(upright, 0, 0),
      pixelAt(upright, 2, 0),
      pixelAt(upright, 0, 1),
      pixelAt(upright, 2, 1),
    ];
    t.is(String.fromCharCode(...seen.map(([red]) => red)), 'ABCD');
  });
}
