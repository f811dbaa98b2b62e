/** Encodes a picture as PNG: colour with eight bits, and alpha only if something is transparent. */
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

/** Scanlines, each with the filter whose differences have the smallest sum: the heuristic of section 12.7. */
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
      applyFilter(filter, row, above, bytesPerPixel, candidates[filter]);
      const sum = sizeOf(candidates[filter]);
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

/**
 * Section 9.2, one loop per filter: `out` gets the differences between the row and the filter's prediction.
 */
function applyFilter(
  filter: number,
  row: Uint8Array,
  above: Uint8Array,
  distance: number,
  out: Uint8Array,
): void {
  const length = row.length;
  // The first pixel has no left neighbour; a missing neighbour counts as zero.
  switch (filter) {
    case 0:
      out.set(row);
      return;
    case 1:
      for (let i = 0; i < distance; i++) out[i] = row[i];
      for (let i = distance; i < length; i++) out[i] = row[i] - row[i - distance];
      return;
    case 2:
      for (let i = 0; i < length; i++) out[i] = row[i] - above[i];
      return;
    case 3:
      for (let i = 0; i < distance; i++) out[i] = row[i] - (above[i] >> 1);
      for (let i = distance; i < length; i++) out[i] = row[i] - ((row[i - distance] + above[i]) >> 1);
      return;
    default:
      for (let i = 0; i < distance; i++) out[i] = row[i] - above[i];
      for (let i = distance; i < length; i++) {
        out[i] = row[i] - paeth(row[i - distance], above[i], above[i - distance]);
      }
  }
}

/** The sum of the differences, each taken as a signed byte. */
function sizeOf(differences: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < differences.length; i++) sum += Math.abs((differences[i] << 24) >> 24);
  return sum;
}
