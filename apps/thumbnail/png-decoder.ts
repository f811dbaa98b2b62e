/**
 * Decodes PNG (W3C PNG, third edition) with the platform's zlib: all colour types, bit depths and
 * interlacing. Samples are returned unchanged, as eight bits each: gamma and colour profiles are not applied.
 *
 * No buffer grows because of what the file claims. Its dimensions were checked before (image-head.ts), and
 * decompression stops at the size that they give, whatever the compressed data contains.
 */
import { crc32, inflateSync } from 'node:zlib';
import { Refusal } from '../site/routing.ts';
import type { RowSink } from './picture.ts';
import { type Layout, layoutOf, makeConverter, type RowConverter } from './png-samples.ts';

/** The most that decompressed scanlines may take; only images with 16 bits per sample come near it. */
export const MAX_SCANLINE_BYTES = 128 * 1024 * 1024;

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around a chunk's data. */
const CHUNK_FRAME_BYTES = 12;

const CHUNK = {
  IHDR: 0x49484452,
  PLTE: 0x504c5445,
  IDAT: 0x49444154,
  IEND: 0x49454e44,
  tRNS: 0x74524e53,
} as const;

/** Section 8: the seven passes of Adam7, each with a start and a step in both directions. */
const ADAM7 = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
] as const;

interface Chunks {
  readonly layout: Layout;
  readonly compressed: Uint8Array;
  readonly convert: RowConverter;
}

/** @throws Refusal 422 if the file is broken or ends too soon, 413 if it would decompress to too much */
export function decodePng(file: Uint8Array, sink: RowSink): void {
  const { layout, compressed, convert } = readChunks(file);
  const passes = layout.interlaced ? ADAM7.map((pass) => sizeOf(layout, pass)) : [{ ...layout }];
  const scanlineBytes = passes.reduce(
    (sum, pass) => sum + (pass.width === 0 ? 0 : pass.height * (1 + rowBytesOf(layout, pass.width))),
    0,
  );
  if (scanlineBytes > MAX_SCANLINE_BYTES) {
    throw new Refusal(
      413,
      `The PNG decompresses to ${scanlineBytes} bytes; at most ${MAX_SCANLINE_BYTES} are allowed.`,
    );
  }
  const scanlines = inflate(compressed, scanlineBytes);
  if (layout.interlaced) decodeInterlaced(layout, scanlines, convert, sink);
  else decodeRows(layout, layout.width, layout.height, scanlines, 0, convert, sink);
}

function readChunks(file: Uint8Array): Chunks {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data: Uint8Array[] = [];
  let layout: Layout | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  for (let at = SIGNATURE_BYTES; ; ) {
    if (at + CHUNK_FRAME_BYTES > file.length) throw new Refusal(422, 'The PNG ends before its IEND chunk.');
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const end = at + CHUNK_FRAME_BYTES + length;
    if (end > file.length) throw new Refusal(422, 'The PNG ends in the middle of a chunk.');
    if (crc32(file.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw new Refusal(422, `The PNG has a chunk with a wrong checksum at byte ${at}.`);
    }
    const content = file.subarray(at + 8, end - 4);
    if (type === CHUNK.IHDR) layout ??= layoutOf(content);
    else if (type === CHUNK.PLTE) palette = content;
    else if (type === CHUNK.tRNS) transparency = content;
    else if (type === CHUNK.IDAT) data.push(content);
    else if (type === CHUNK.IEND) break;
    // Section 5.4: bit 5 of the first letter says that a chunk may be skipped.
    else if ((type & 0x20000000) === 0)
      throw new Refusal(422, `The PNG has an unknown critical chunk at byte ${at}.`);
    at = end;
  }
  if (layout === undefined || data.length === 0) throw new Refusal(422, 'The PNG has no image data.');
  const compressed = data.length === 1 ? data[0] : Buffer.concat(data);
  return { layout, compressed, convert: makeConverter(layout, palette, transparency) };
}

function inflate(compressed: Uint8Array, scanlineBytes: number): Uint8Array {
  let scanlines: Uint8Array;
  try {
    scanlines = inflateSync(compressed, { maxOutputLength: scanlineBytes, chunkSize: 256 * 1024 });
  } catch (error) {
    const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new Refusal(
      422,
      tooLong
        ? `The PNG decompresses to more than the ${scanlineBytes} bytes that its dimensions ask for.`
        : `The PNG's image data is broken: ${(error as Error).message}.`,
    );
  }
  if (scanlines.length < scanlineBytes) {
    throw new Refusal(
      422,
      `The PNG has ${scanlines.length} bytes of scanlines; its dimensions ask for ${scanlineBytes}.`,
    );
  }
  return scanlines;
}

function sizeOf(layout: Layout, pass: (typeof ADAM7)[number]): { width: number; height: number } {
  return {
    width: Math.ceil(Math.max(0, layout.width - pass.x) / pass.dx),
    height: Math.ceil(Math.max(0, layout.height - pass.y) / pass.dy),
  };
}

/** Section 7.2: a row starts on a byte, whatever the size of its pixels. */
function rowBytesOf(layout: Layout, width: number): number {
  return Math.ceil((width * layout.bitsPerPixel) / 8);
}

/** @returns where the following scanlines start */
function decodeRows(
  layout: Layout,
  width: number,
  height: number,
  scanlines: Uint8Array,
  start: number,
  convert: RowConverter,
  sink: RowSink,
): number {
  const rowBytes = rowBytesOf(layout, width);
  const rgba = new Uint8Array(width * 4);
  let previous = new Uint8Array(rowBytes);
  let at = start;
  for (let y = 0; y < height; y++) {
    const row = scanlines.subarray(at + 1, at + 1 + rowBytes);
    unfilter(scanlines[at], row, previous, layout.filterBytes);
    convert(row, rgba, width);
    sink.row(rgba, 0);
    previous = row as Uint8Array<ArrayBuffer>;
    at += 1 + rowBytes;
  }
  return at;
}

/** The rows of an interlaced image are only complete at the end, so such an image is held as a whole. */
function decodeInterlaced(layout: Layout, scanlines: Uint8Array, convert: RowConverter, sink: RowSink): void {
  const { width, height } = layout;
  const pixels = new Uint32Array(width * height);
  let at = 0;
  for (const pass of ADAM7) {
    const size = sizeOf(layout, pass);
    if (size.width === 0 || size.height === 0) continue;
    let y = pass.y;
    const scatter: RowSink = {
      row(rgba) {
        const row = new Uint32Array(rgba.buffer as ArrayBuffer, rgba.byteOffset, size.width);
        for (let i = 0; i < row.length; i++) pixels[y * width + pass.x + i * pass.dx] = row[i];
        y += pass.dy;
      },
    };
    at = decodeRows(layout, size.width, size.height, scanlines, at, convert, scatter);
  }
  const rgba = new Uint8Array(pixels.buffer);
  for (let y = 0; y < height; y++) sink.row(rgba, y * width * 4);
}

/** Section 9.2: each byte was stored as a difference from its neighbours to the left, above, and above left. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, distance: number): void {
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = distance; i < row.length; i++) row[i] += row[i - distance];
      return;
    case 2:
      for (let i = 0; i < row.length; i++) row[i] += above[i];
      return;
    case 3:
      for (let i = 0; i < distance && i < row.length; i++) row[i] += above[i] >> 1;
      for (let i = distance; i < row.length; i++) row[i] += (row[i - distance] + above[i]) >> 1;
      return;
    case 4:
      for (let i = 0; i < distance && i < row.length; i++) row[i] += above[i];
      for (let i = distance; i < row.length; i++)
        row[i] += paeth(row[i - distance], above[i], above[i - distance]);
      return;
    default:
      throw new Refusal(422, `The PNG has a row with the unknown filter ${filter}.`);
  }
}

/** Section 9.4. The encoder uses it too. */
export function paeth(left: number, above: number, aboveLeft: number): number {
  const toLeft = Math.abs(above - aboveLeft);
  const toAbove = Math.abs(left - aboveLeft);
  const toAboveLeft = Math.abs(left + above - 2 * aboveLeft);
  if (toLeft <= toAbove && toLeft <= toAboveLeft) return left;
  return toAbove <= toAboveLeft ? above : aboveLeft;
}
