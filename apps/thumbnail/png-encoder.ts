/** Encodes a picture as PNG: colour of eight bits, with alpha only where something shows through. */
import { crc32, deflateSync } from 'node:zlib';
import type { Picture } from './picture.ts';
import { paeth } from './png-decoder.ts';
import { ColorType } from './png-samples.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const FILTERS = 5;

export function encodePng(picture: Picture): Uint8Array {
  const alpha = hasTransparency(picture.rgba);
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, picture.width);
  header.setUint32(4, picture.height);
  header.setUint8(8, 8);
  header.setUint8(9, alpha ? ColorType.ColourAlpha : ColorType.Colour);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', new Uint8Array(header.buffer)),
    chunk('IDAT', deflateSync(filtered(picture, alpha ? 4 : 3))),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function hasTransparency(rgba: Uint8ClampedArray): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return true;
  return false;
}

function chunk(type: string, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + content.length);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(content, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + content.length)), 8 + content.length);
  return bytes;
}

/**
 * Scanlines, each under the filter whose differences are smallest in sum: the heuristic that section 12.7 gives.
 */
function filtered(picture: Picture, bytesPerPixel: number): Uint8Array {
  const rowBytes = picture.width * bytesPerPixel;
  const scanlines = new Uint8Array(picture.height * (1 + rowBytes));
  const candidates = Array.from({ length: FILTERS }, () => new Uint8Array(rowBytes));
  let above = new Uint8Array(rowBytes);
  let row = new Uint8Array(rowBytes);
  for (let y = 0; y < picture.height; y++) {
    takeRow(picture, y, bytesPerPixel, row);
    let best = 0;
    let bestSum = Number.POSITIVE_INFINITY;
    for (let filter = 0; filter < FILTERS; filter++) {
      const sum = applyFilter(filter, row, above, bytesPerPixel, candidates[filter]);
      if (sum < bestSum) {
        best = filter;
        bestSum = sum;
      }
    }
    const at = y * (1 + rowBytes);
    scanlines[at] = best;
    scanlines.set(candidates[best], at + 1);
    [above, row] = [row, above];
  }
  return scanlines;
}

function takeRow(picture: Picture, y: number, bytesPerPixel: number, row: Uint8Array): void {
  const { rgba, width } = picture;
  let to = 0;
  for (let from = y * width * 4, end = from + width * 4; from < end; from += 4) {
    for (let i = 0; i < bytesPerPixel; i++) row[to++] = rgba[from + i];
  }
}

/** @returns the sum of the differences' sizes, each taken as a signed byte. */
function applyFilter(
  filter: number,
  row: Uint8Array,
  above: Uint8Array,
  distance: number,
  out: Uint8Array,
): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    const left = i >= distance ? row[i - distance] : 0;
    const aboveLeft = i >= distance ? above[i - distance] : 0;
    const difference = (row[i] - predicted(filter, left, above[i], aboveLeft)) & 0xff;
    out[i] = difference;
    sum += difference < 128 ? difference : 256 - difference;
  }
  return sum;
}

function predicted(filter: number, left: number, above: number, aboveLeft: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4:
      return paeth(left, above, aboveLeft);
    default:
      return 0;
  }
}
