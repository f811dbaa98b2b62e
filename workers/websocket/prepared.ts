/**
 * A message for many sockets. Its frame is made once, and its content is deflated once for all sockets with
 * the same parameters.
 *
 * A message can be deflated independently only if the server's side keeps no context from message to message (RFC
 * 7692 section 7.1.1.1), as is the case unless `contextTakeover` is set. In all other cases the socket's own
 * framing is used.
 */
import { constants, deflateRawSync } from 'node:zlib';
import { contentOf } from '../exchange/values.ts';

/** What a socket has negotiated for the messages that it sends. */
export interface SharedDeflate {
  /** zlib's level. */
  readonly level: number;
  /** Base-2 logarithm of the window: `server_max_window_bits`. */
  readonly windowBits: number;
  /** Smaller messages are sent without compression. */
  readonly fromBytes: number;
}

const TEXT = 0x1;
const BINARY = 0x2;
const FIN = 0x80;
/** RFC 7692 section 6: marks deflated content. */
const RSV1 = 0x40;
/** Section 7.2.1: the bytes that a flush appends and that are not sent. */
const TAIL_BYTES = 4;

export class PreparedMessage {
  /** The data as it was given; bytes are the message's own copy. */
  readonly data: string | Uint8Array;
  /** The length of the content before it is deflated. */
  readonly length: number;
  readonly #content: Buffer;
  #plain: Buffer | null = null;
  /** By level and window. */
  readonly #deflated = new Map<string, Buffer>();

  constructor(data: string | Uint8Array) {
    this.#content = typeof data === 'string' ? Buffer.from(data) : Buffer.from(contentOf(data, 'a message'));
    this.data = typeof data === 'string' ? data : this.#content;
    this.length = this.#content.length;
  }

  /**
   * The whole frame, for a socket that sends with these parameters; null: without compression. The frame is
   * shared and must not be changed.
   */
  frame(deflate: SharedDeflate | null): Buffer {
    if (deflate === null || this.length < deflate.fromBytes) {
      this.#plain ??= frameOf(this.#opcode, this.#content);
      return this.#plain;
    }
    const { level, windowBits } = deflate;
    const key = `${level} ${windowBits}`;
    let frame = this.#deflated.get(key);
    if (frame === undefined) {
      const flushed = deflateRawSync(this.#content, {
        level,
        windowBits,
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      frame = frameOf(this.#opcode | RSV1, flushed.subarray(0, flushed.length - TAIL_BYTES));
      this.#deflated.set(key, frame);
    }
    return frame;
  }

  get #opcode(): number {
    return typeof this.data === 'string' ? TEXT : BINARY;
  }
}

/** RFC 6455 section 5.2: one frame, not masked, as for every frame from a server. */
function frameOf(first: number, content: Uint8Array): Buffer {
  const { length } = content;
  const extended = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
  const frame = Buffer.allocUnsafeSlow(2 + extended + length);
  frame[0] = FIN | first;
  if (extended === 0) {
    frame[1] = length;
  } else if (extended === 2) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(content, 2 + extended);
  return frame;
}
