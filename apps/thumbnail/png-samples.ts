/** Converts a PNG's samples, of any type and depth, to RGBA with eight bits each. */
import { Refusal } from '../site/routing.ts';

/** The content of an IHDR chunk (W3C PNG section 11.2.1). */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: ColorType;
  readonly interlaced: boolean;
  readonly bitsPerPixel: number;
  /** The distance to a filter's left neighbour: one pixel, but at least one byte. */
  readonly filterBytes: number;
}

export const ColorType = { Grey: 0, Colour: 2, Palette: 3, GreyAlpha: 4, ColourAlpha: 6 } as const;
export type ColorType = (typeof ColorType)[keyof typeof ColorType];

/** Table 8: which depths each colour type has, and how many samples make a pixel. */
const COLOR_TYPES: ReadonlyMap<number, { readonly depths: readonly number[]; readonly samples: number }> =
  new Map([
    [ColorType.Grey, { depths: [1, 2, 4, 8, 16], samples: 1 }],
    [ColorType.Colour, { depths: [8, 16], samples: 3 }],
    [ColorType.Palette, { depths: [1, 2, 4, 8], samples: 1 }],
    [ColorType.GreyAlpha, { depths: [8, 16], samples: 2 }],
    [ColorType.ColourAlpha, { depths: [8, 16], samples: 4 }],
  ]);

export function layoutOf(header: Uint8Array): Layout {
  if (header.length !== 13) throw new Refusal(422, 'The PNG has an IHDR chunk of the wrong length.');
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const bitDepth = header[8];
  const known = COLOR_TYPES.get(header[9]);
  if (known === undefined || !known.depths.includes(bitDepth)) {
    throw new Refusal(
      422,
      `The PNG has colour type ${header[9]} with ${bitDepth} bits, which does not exist.`,
    );
  }
  if (header[10] !== 0 || header[11] !== 0 || header[12] > 1) {
    throw new Refusal(422, 'The PNG uses a compression, filter or interlace method that does not exist.');
  }
  const bitsPerPixel = bitDepth * known.samples;
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    bitDepth,
    colorType: header[9] as ColorType,
    interlaced: header[12] === 1,
    bitsPerPixel,
    filterBytes: Math.max(1, bitsPerPixel >> 3),
  };
}

/** Writes `width` pixels of an unfiltered row as RGBA. */
export type RowConverter = (row: Uint8Array, rgba: Uint8Array, width: number) => void;

export function makeConverter(
  layout: Layout,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
): RowConverter {
  switch (layout.colorType) {
    case ColorType.Palette:
      return indexed(layout.bitDepth, paletteRgba(palette, transparency));
    case ColorType.Grey:
      return layout.bitDepth <= 8
        ? indexed(layout.bitDepth, greyRgba(layout.bitDepth, transparency))
        : deepSamples(1, transparency);
    case ColorType.Colour:
      return layout.bitDepth === 8 ? colour(transparency) : deepSamples(3, transparency);
    case ColorType.GreyAlpha:
      return layout.bitDepth === 8 ? greyAlpha : deepSamples(2, undefined);
    case ColorType.ColourAlpha:
      return layout.bitDepth === 8 ? copy : deepSamples(4, undefined);
  }
}

/** RGBA of each palette index. An index beyond the palette is an error of the file and becomes black. */
function paletteRgba(palette: Uint8Array | undefined, transparency: Uint8Array | undefined): Uint8Array {
  if (palette === undefined || palette.length === 0 || palette.length % 3 !== 0 || palette.length > 768) {
    throw new Refusal(422, 'The pixels of the PNG are palette indices, but it has no valid palette.');
  }
  const table = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) {
    table.set(palette.subarray(i * 3, i * 3 + 3), i * 4);
    table[i * 4 + 3] = transparency?.[i] ?? 255;
  }
  return table;
}

/** RGBA of each grey value of up to eight bits; tRNS names the transparent one (section 11.3.1.1). */
function greyRgba(bitDepth: number, transparency: Uint8Array | undefined): Uint8Array {
  const levels = 1 << bitDepth;
  const table = new Uint8Array(256 * 4);
  for (let i = 0; i < levels; i++)
    table.fill((i * 255) / (levels - 1), i * 4, i * 4 + 3).fill(255, i * 4 + 3, i * 4 + 4);
  if (transparency !== undefined && transparency.length >= 2)
    table[(transparency[1] & (levels - 1)) * 4 + 3] = 0;
  return table;
}

function indexed(bitDepth: number, table: Uint8Array): RowConverter {
  const colors = new Uint32Array(table.buffer);
  const mask = (1 << bitDepth) - 1;
  return (row, rgba, width) => {
    const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, width);
    if (bitDepth === 8) {
      for (let i = 0; i < width; i++) pixels[i] = colors[row[i]];
      return;
    }
    // Section 7.2: the leftmost pixel is in the high bits.
    for (let i = 0; i < width; i++) {
      const bit = i * bitDepth;
      pixels[i] = colors[(row[bit >> 3] >> (8 - bitDepth - (bit & 7))) & mask];
    }
  };
}

function colour(transparency: Uint8Array | undefined): RowConverter {
  const hidden = transparency !== undefined && transparency.length >= 6;
  const red = hidden ? transparency[1] : -1;
  const green = hidden ? transparency[3] : -1;
  const blue = hidden ? transparency[5] : -1;
  return (row, rgba, width) => {
    for (let i = 0, from = 0, to = 0; i < width; i++, from += 3, to += 4) {
      rgba[to] = row[from];
      rgba[to + 1] = row[from + 1];
      rgba[to + 2] = row[from + 2];
      rgba[to + 3] = row[from] === red && row[from + 1] === green && row[from + 2] === blue ? 0 : 255;
    }
  };
}

function greyAlpha(row: Uint8Array, rgba: Uint8Array, width: number): void {
  for (let i = 0; i < width; i++) rgba.fill(row[i * 2], i * 4, i * 4 + 3)[i * 4 + 3] = row[i * 2 + 1];
}

function copy(row: Uint8Array, rgba: Uint8Array, width: number): void {
  rgba.set(row.subarray(0, width * 4));
}

/**
 * With sixteen bits per sample, the high byte is what eight bits can show. tRNS is compared with both bytes.
 */
function deepSamples(samples: number, transparency: Uint8Array | undefined): RowConverter {
  const bytes = samples * 2;
  const hidden =
    transparency !== undefined && transparency.length >= bytes ? transparency.subarray(0, bytes) : undefined;
  const hasAlpha = samples === 2 || samples === 4;
  const greenAt = samples >= 3 ? 2 : 0;
  const blueAt = samples >= 3 ? 4 : 0;
  return (row, rgba, width) => {
    for (let i = 0, from = 0, to = 0; i < width; i++, from += bytes, to += 4) {
      rgba[to] = row[from];
      rgba[to + 1] = row[from + greenAt];
      rgba[to + 2] = row[from + blueAt];
      if (hasAlpha) rgba[to + 3] = row[from + bytes - 2];
      else rgba[to + 3] = hidden?.every((byte, at) => byte === row[from + at]) ? 0 : 255;
    }
  };
}
