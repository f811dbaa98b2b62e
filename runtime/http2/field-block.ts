/**
 * A field block that arrives in several frames (RFC 9113 section 4.3): HEADERS without END_HEADERS, and its
 * CONTINUATIONs. The number of bytes and frames is limited, and checked before a fragment is kept.
 */
import { copyBytes } from '../bytes/output-buffers.ts';

export class FieldBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  /** The HEADERS frame made its stream depend on itself. */
  readonly selfDependent: boolean;
  #bytes: Uint8Array;
  length = 0;
  /** CONTINUATION frames so far. */
  continuations = 0;

  constructor(streamId: number, endStream: boolean, selfDependent: boolean, firstBytes: number) {
    this.streamId = streamId;
    this.endStream = endStream;
    this.selfDependent = selfDependent;
    this.#bytes = Buffer.allocUnsafe(Math.max(1024, 2 * firstBytes));
  }

  /** The block's bytes are bytes[0,length). */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * length);
      copyBytes(larger, 0, this.#bytes, 0, this.length);
      this.#bytes = larger;
    }
    copyBytes(this.#bytes, this.length, bytes, start, end);
    this.length = length;
  }
}
