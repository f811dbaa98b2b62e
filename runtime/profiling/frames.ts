/**
 * Frames of a profile's socket: two 32-bit lengths, a head in JSON, and the bytes that the head describes.
 */
import type { Frame } from './messages.ts';

const LENGTHS_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

/** The frame's pieces, to be written one after the other; the bytes are not copied. */
export function encodeFrame(head: Frame, bytes: Uint8Array = NO_BYTES): [start: Buffer, bytes: Uint8Array] {
  const json = Buffer.from(JSON.stringify(head));
  const start = Buffer.allocUnsafe(LENGTHS_BYTES + json.length);
  start.writeUInt32BE(json.length, 0);
  start.writeUInt32BE(bytes.length, 4);
  json.copy(start, LENGTHS_BYTES);
  return [start, bytes];
}

export class FrameReader {
  readonly #onFrame: (head: Frame, bytes: Buffer) => void;
  #pieces: Buffer[] = [];
  #available = 0;
  #needed = LENGTHS_BYTES;

  constructor(onFrame: (head: Frame, bytes: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** The stream ended between two frames. */
  get isWhole(): boolean {
    return this.#available === 0;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#available += piece.length;
    while (this.#available >= this.#needed) {
      const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
      const headBytes = all.readUInt32BE(0);
      const end = LENGTHS_BYTES + headBytes + all.readUInt32BE(4);
      this.#pieces = [all];
      this.#needed = end;
      if (all.length < end) return;
      const head = JSON.parse(all.toString('utf8', LENGTHS_BYTES, LENGTHS_BYTES + headBytes)) as Frame;
      this.#pieces = [all.subarray(end)];
      this.#available -= end;
      this.#needed = LENGTHS_BYTES;
      this.#onFrame(head, all.subarray(LENGTHS_BYTES + headBytes, end));
    }
  }
}
