/**
 * What kind of image this is, how large and which way up, read from its first bytes while the rest is still on its
 * way. So what is no image is refused at its first piece, and what would decode to more memory than it may is
 * refused before anything is decoded.
 *
 * PNG: W3C PNG (third edition) sections 5.2 and 11.2.1. JPEG: ITU-T T.81 annex B.
 */
import { crc32 } from 'node:zlib';
import { Refusal } from '../site/routing.ts';
import { readOrientation } from './orientation.ts';

export type ImageFormat = 'png' | 'jpeg';

export interface ImageHead {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1 to 8; 1 is upright. */
  readonly orientation: number;
}

/** An image of more pixels is refused: 25 million cost 100 MB decoded. */
export const MAX_PIXELS = 25_000_000;
/** A side of more pixels is refused, however thin the image is. */
export const MAX_SIDE = 20_000;
/** A JPEG's dimensions must come within its first bytes; before them stand EXIF, colour profile and previews. */
const MAX_HEAD_BYTES = 2 * 1024 * 1024;

const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const JPEG_SIGNATURE = Uint8Array.of(0xff, 0xd8, 0xff);
/** Signature, and the IHDR chunk with its length, type, 13 bytes and checksum. */
const PNG_HEAD_BYTES = 33;

/** Reads one image's head from growing prefixes of it. */
export class HeadReader {
  /** Where the next JPEG segment starts: what has been looked at is not looked at again. */
  #position = 2;
  #orientation = 1;
  #head: ImageHead | null = null;

  get head(): ImageHead | null {
    return this.#head;
  }

  /**
   * @param prefix everything that has come so far.
   * @throws Refusal 415 for what is neither PNG nor JPEG, 422 for a broken head, 413 for too many pixels.
   */
  read(prefix: Uint8Array): void {
    if (this.#head !== null || prefix.length === 0) return;
    if (startsWith(prefix, PNG_SIGNATURE)) {
      if (prefix.length >= PNG_HEAD_BYTES) this.#head = checked(readPngHead(prefix));
    } else if (startsWith(prefix, JPEG_SIGNATURE)) {
      this.#readJpeg(prefix);
    } else {
      throw new Refusal(415, 'The body must be a PNG or a JPEG image; its first bytes are neither.');
    }
  }

  #readJpeg(prefix: Uint8Array): void {
    const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
    for (;;) {
      const at = this.#position;
      if (at > MAX_HEAD_BYTES)
        throw new Refusal(422, `The JPEG has no frame header in its first ${MAX_HEAD_BYTES} bytes.`);
      if (at + 4 > prefix.length) return;
      if (prefix[at] !== 0xff) throw new Refusal(422, `The JPEG has no marker at byte ${at}.`);
      const marker = prefix[at + 1];
      // B.1.1.2: any number of fill bytes may stand before a marker.
      if (marker === 0xff) {
        this.#position++;
        continue;
      }
      // Scan and end come after the frame header, so here they come without one.
      if (marker === 0xda || marker === 0xd9) throw new Refusal(422, 'The JPEG has no frame header.');
      const end = at + 2 + view.getUint16(at + 2);
      if (end > prefix.length) return;
      if (isFrameHeader(marker)) {
        this.#head = checked(readJpegFrame(view, at, end, this.#orientation));
        return;
      }
      if (marker === 0xe1)
        this.#orientation = readOrientation(prefix.subarray(at + 4, end)) ?? this.#orientation;
      this.#position = Math.max(end, at + 4);
    }
  }
}

function startsWith(prefix: Uint8Array, signature: Uint8Array): boolean {
  const length = Math.min(prefix.length, signature.length);
  for (let i = 0; i < length; i++) if (prefix[i] !== signature[i]) return false;
  return true;
}

function readPngHead(prefix: Uint8Array): ImageHead {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const isHeader = view.getUint32(8) === 13 && view.getUint32(12) === 0x49484452;
  if (!isHeader || crc32(prefix.subarray(12, 29)) !== view.getUint32(29)) {
    throw new Refusal(422, 'The PNG does not start with a sound IHDR chunk.');
  }
  return { format: 'png', width: view.getUint32(16), height: view.getUint32(20), orientation: 1 };
}

/** SOF0 to SOF15, without the three of that row that mean tables: DHT, JPG, DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readJpegFrame(view: DataView, at: number, end: number, orientation: number): ImageHead {
  if (end < at + 10) throw new Refusal(422, 'The JPEG has a frame header that is too short.');
  const components = view.getUint8(at + 9);
  if (components !== 1 && components !== 3) {
    throw new Refusal(
      415,
      `The JPEG has ${components} colour components; 1 (grey) and 3 (colour) are understood.`,
    );
  }
  return { format: 'jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5), orientation };
}

function checked(head: ImageHead): ImageHead {
  const { width, height } = head;
  if (width === 0 || height === 0)
    throw new Refusal(422, `The image says it is ${width} × ${height} pixels.`);
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new Refusal(
      413,
      `The image is ${width} × ${height} pixels; at most ${MAX_PIXELS} in all and ${MAX_SIDE} on a side are decoded.`,
    );
  }
  return head;
}
