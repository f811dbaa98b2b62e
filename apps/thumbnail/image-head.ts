/**
 * Reads the kind, size and orientation of an image from its first bytes, while the rest is still on its way.
 * So an upload that is no image is refused at its first piece, and an image that would decode to too much
 * memory is refused before anything is decoded.
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

/** An image with more pixels is refused: 25 million take 100 MB when decoded. */
export const MAX_PIXELS = 25_000_000;
/** An image with a longer side is refused, however narrow it is. */
export const MAX_SIDE = 20_000;
/** A JPEG's dimensions must be within its first bytes; EXIF, colour profile and previews come before them. */
const MAX_HEAD_BYTES = 2 * 1024 * 1024;

const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const JPEG_SIGNATURE = Uint8Array.of(0xff, 0xd8, 0xff);
/** Signature, and the IHDR chunk with its length, type, 13 bytes and checksum. */
const PNG_HEAD_BYTES = 33;

/** Reads one image's head from growing prefixes of it. */
export class HeadReader {
  /** Where the next JPEG segment starts; everything before it has been examined. */
  #position = 2;
  #orientation = 1;
  #head: ImageHead | null = null;

  get head(): ImageHead | null {
    return this.#head;
  }

  /**
   * @param prefix everything that has arrived so far
   * @throws Refusal 415 for neither PNG nor JPEG, 422 for a broken head, 413 for too many pixels
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
      // B.1.1.2: a marker may follow any number of fill bytes.
      if (marker === 0xff) {
        this.#position++;
        continue;
      }
      // Scan and end follow the frame header, so here the frame header is missing.
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

/** SOF0 to SOF15, without the three of that range that are tables: DHT, JPG, DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readJpegFrame(view: DataView, at: number, end: number, orientation: number): ImageHead {
  if (end < at + 10) throw new Refusal(422, 'The JPEG has a frame header that is too short.');
  const components = view.getUint8(at + 9);
  if (components !== 1 && components !== 3) {
    throw new Refusal(
      415,
      `The JPEG has ${components} colour components; 1 (grey) and 3 (colour) are supported.`,
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
      `The image is ${width} × ${height} pixels; the limits are ${MAX_PIXELS} in all and ${MAX_SIDE} on a side.`,
    );
  }
  return head;
}
