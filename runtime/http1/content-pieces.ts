/**
 * Joins the pieces of content that one read has brought, so that a body in one-byte chunks costs its owner
 * what a plain body costs. A single piece, or a large one, stays where it lies; small ones are copied one
 * behind the other. All connections of a reactor share one buffer, which is empty again when a read returns.
 */
import { copyBytes } from '../bytes/output-buffers.ts';

export interface ContentSink {
  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void;
}

const BUFFER_BYTES = 65_536;
/** Copying more than this costs more than one call of the sink. */
const LARGE_PIECE_BYTES = 4_096;

const NO_BYTES = new Uint8Array(0);

export class ContentPieces {
  #buffer: Buffer | null = null;
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;

  /** bytes[start,end) must stay unchanged until `flush`. Pieces that do not fit together go to the sink. */
  add(sink: ContentSink, bytes: Uint8Array, start: number, end: number): void {
    const length = this.#end - this.#start;
    const isApart =
      length >= LARGE_PIECE_BYTES && this.#bytes !== this.#buffer
        ? true
        : end - start >= LARGE_PIECE_BYTES || length + end - start > BUFFER_BYTES;
    if (length > 0 && isApart) this.flush(sink, false);
    if (this.#end === this.#start) {
      this.#bytes = bytes;
      this.#start = start;
      this.#end = end;
      return;
    }
    this.#buffer ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
    if (this.#bytes !== this.#buffer) {
      copyBytes(this.#buffer, 0, this.#bytes, this.#start, this.#end);
      this.#bytes = this.#buffer;
      this.#start = 0;
      this.#end = length;
    }
    copyBytes(this.#buffer, this.#end, bytes, start, end);
    this.#end += end - start;
  }

  /** @param last the message ends with these pieces, of which there may be none */
  flush(sink: ContentSink, last: boolean): void {
    const bytes = this.#bytes;
    const start = this.#start;
    const end = this.#end;
    if (start === end && !last) return;
    this.clear();
    sink.onContent(bytes, start, end, last);
  }

  /** Discards the pieces, which are no longer wanted. */
  clear(): void {
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
  }
}
