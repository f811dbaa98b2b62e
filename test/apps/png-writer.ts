/**
 * Writes PNG files of every colour type, depth and interlacing from samples, with the given filters, and
 * returns the expected value of each pixel. It shares no code with the decoder under test.
 */
import { crc32, deflateSync } from 'node:zlib';

export interface PngSpec {
  readonly width: number;
  readonly height: number;
  readonly colorType: 0 | 2 | 3 | 4 | 6;
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  readonly interlaced: boolean;
  /** The sample `channel` of the pixel at `x`, `y`: 0 to 2 ** bitDepth - 1. */
  readonly sample: (x: number, y: number, channel: number) => number;
  /** The filter of a row, 0 to 4. */
  readonly filter: (row: number) => number;
  readonly palette?: readonly (readonly [number, number, number])[];
  /** The content of the tRNS chunk. */
  readonly transparency?: readonly number[];
  /** The number of IDAT chunks that the data is split into; default 1. */
  readonly dataChunks?: number;
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;

export function chunk(type: string, content: Uint8Array | readonly number[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(content)]);
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeUInt32BE(body.length - 4, 0);
  body.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(body), 4 + body.length);
  return bytes;
}

export const SIGNATURE = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function headerChunk(
  width: number,
  height: number,
  rest: readonly [number, number, number, number, number],
) {
  const content = Buffer.alloc(13);
  content.writeUInt32BE(width, 0);
  content.writeUInt32BE(height, 4);
  content.set(rest, 8);
  return chunk('IHDR', content);
}

export function writePng(spec: PngSpec): Buffer {
  const compressed = deflateSync(scanlinesOf(spec));
  const dataChunks = spec.dataChunks ?? 1;
  const size = Math.ceil(compressed.length / dataChunks);
  return Buffer.concat([
    SIGNATURE,
    headerChunk(spec.width, spec.height, [spec.bitDepth, spec.colorType, 0, 0, spec.interlaced ? 1 : 0]),
    chunk('tEXt', Buffer.from('Comment\0skipped')),
    ...(spec.palette === undefined ? [] : [chunk('PLTE', spec.palette.flat())]),
    ...(spec.transparency === undefined ? [] : [chunk('tRNS', spec.transparency)]),
    ...Array.from({ length: dataChunks }, (_, i) =>
      chunk('IDAT', compressed.subarray(i * size, (i + 1) * size)),
    ),
    chunk('IEND', []),
  ]);
}

function scanlinesOf(spec: PngSpec): Buffer {
  const passes = spec.interlaced
    ? [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
      ]
    : [[0, 0, 1, 1]];
  let count = 0;
  return Buffer.concat(
    passes.flatMap(([x0, y0, dx, dy]) => {
      if (x0 >= spec.width) return [];
      const rows: Buffer[] = [];
      let above: Buffer | undefined;
      for (let y = y0; y < spec.height; y += dy) {
        const row = packRow(spec, x0, y, dx);
        rows.push(filterRow(spec, row, above ?? Buffer.alloc(row.length), spec.filter(count++)));
        above = row;
      }
      return rows;
    }),
  );
}

function packRow(spec: PngSpec, x0: number, y: number, dx: number): Buffer {
  let bits = '';
  for (let x = x0; x < spec.width; x += dx) {
    for (let channel = 0; channel < CHANNELS[spec.colorType]; channel++) {
      bits += spec.sample(x, y, channel).toString(2).padStart(spec.bitDepth, '0');
    }
  }
  return Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
}

function filterRow(spec: PngSpec, row: Buffer, above: Buffer, filter: number): Buffer {
  const distance = Math.max(1, (CHANNELS[spec.colorType] * spec.bitDepth) / 8);
  const out = Buffer.alloc(row.length + 1);
  out[0] = filter;
  for (let i = 0; i < row.length; i++) {
    const a = row[i - distance] ?? 0;
    const b = above[i];
    const c = above[i - distance] ?? 0;
    const p = a + b - c;
    const nearest = [a, b, c].reduce((best, one) => (Math.abs(p - one) < Math.abs(p - best) ? one : best));
    const predictions = [0, a, b, Math.floor((a + b) / 2), nearest];
    out[i + 1] = row[i] - predictions[filter];
  }
  return out;
}

/** The expected pixel, RGBA with eight bits each. */
export function expectedPixel(spec: PngSpec, x: number, y: number): [number, number, number, number] {
  const samples = Array.from({ length: CHANNELS[spec.colorType] }, (_, channel) =>
    spec.sample(x, y, channel),
  );
  const max = 2 ** spec.bitDepth - 1;
  const shown = samples.map((sample) =>
    spec.bitDepth === 16 ? sample >> 8 : Math.trunc((sample * 255) / max),
  );
  const hidden = (spec.transparency ?? []).flatMap((byte, i, all) =>
    i % 2 === 0 ? [byte * 256 + all[i + 1]] : [],
  );
  const isHidden = hidden.length > 0 && samples.every((sample, i) => sample === hidden[i]);
  switch (spec.colorType) {
    case 0:
      return [shown[0], shown[0], shown[0], isHidden ? 0 : 255];
    case 2:
      return [shown[0], shown[1], shown[2], isHidden ? 0 : 255];
    case 3: {
      const [red, green, blue] = spec.palette?.[samples[0]] ?? [0, 0, 0];
      return [red, green, blue, spec.transparency?.[samples[0]] ?? 255];
    }
    case 4:
      return [shown[0], shown[0], shown[0], shown[1]];
    case 6:
      return [shown[0], shown[1], shown[2], shown[3]];
  }
}
