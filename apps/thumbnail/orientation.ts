/**
 * The orientation that a camera writes into EXIF (CIPA DC-008, tag 0x0112), and turning a picture by it. The
 * thumbnail is turned and not the photograph, because it has a thousandth of the pixels.
 */
import type { Picture } from './picture.ts';

const TAG_ORIENTATION = 0x0112;
const TYPE_SHORT = 3;
const ENTRY_BYTES = 12;

/**
 * @param segment the content of an APP1 segment
 * @returns 1 to 8, or undefined if it contains no orientation
 */
export function readOrientation(segment: Uint8Array): number | undefined {
  // 'Exif', two zero bytes, then a TIFF header: byte order, 42, and where the first directory is.
  if (segment.length < 14 || String.fromCharCode(...segment.subarray(0, 6)) !== 'Exif\0\0') return undefined;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.byteLength - 6);
  const order = tiff.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const little = order === 0x4949;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return undefined;
  const entries = tiff.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * ENTRY_BYTES;
    if (entry + ENTRY_BYTES > tiff.byteLength) return undefined;
    if (tiff.getUint16(entry, little) !== TAG_ORIENTATION) continue;
    if (tiff.getUint16(entry + 2, little) !== TYPE_SHORT) return undefined;
    const value = tiff.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/** In orientations 5 to 8 the picture lies on its side: width and height are exchanged. */
export function isSideways(orientation: number): boolean {
  return orientation >= 5;
}

/** Returns the picture turned upright. */
export function turnUpright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const { width, height } = picture;
  const turnedWidth = isSideways(orientation) ? height : width;
  const turnedHeight = isSideways(orientation) ? width : height;
  const source = pixelsOf(picture.rgba);
  const turned = new Uint8ClampedArray(picture.rgba.length);
  const target = pixelsOf(turned);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const left = isMirrored(orientation, x, width);
      const down = isFlipped(orientation, y, height);
      const to = isSideways(orientation) ? left * turnedWidth + down : down * turnedWidth + left;
      target[to] = source[y * width + x];
    }
  }
  return { width: turnedWidth, height: turnedHeight, rgba: turned };
}

function pixelsOf(rgba: Uint8ClampedArray): Uint32Array {
  return new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
}

/** Columns run backwards in 2, 3, 7 and 8. */
function isMirrored(orientation: number, x: number, width: number): number {
  return orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8 ? width - 1 - x : x;
}

/** Rows run backwards in 3, 4, 6 and 7. */
function isFlipped(orientation: number, y: number, height: number): number {
  return orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7
    ? height - 1 - y
    : y;
}
