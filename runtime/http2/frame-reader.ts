/**
 * Turns bytes into frames, however the network cuts them.
 *
 * A frame that lies whole in a chunk is passed on in place. A frame that is split is gathered, in a buffer
 * that grows with the bytes that arrive and not with the announced length. DATA is never gathered: its pieces
 * are passed on as they arrive. The sink decides what a frame means and whether its head is acceptable.
 */

import { copyBytes } from '../bytes/output-buffers.ts';
import { ErrorCode } from './errors.ts';
import { Flag, FrameType, frameHeadBytes } from './frames.ts';

/** The sink's decision about a frame's head, made before any of the payload is kept. */
export const HeadVerdict = { Take: 0, Skip: 1 } as const;
export type HeadVerdict = (typeof HeadVerdict)[keyof typeof HeadVerdict];

export interface FrameSink {
  onPreface(): void;
  onHead(type: number, flags: number, streamId: number, payloadBytes: number): HeadVerdict;
  /** A complete frame other than DATA; its payload is bytes[start,end), valid only during the call. */
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
  /** A DATA frame begins. `frameBytes` count for flow control; `contentBytes` of them are content. */
  onDataFrame(streamId: number, endStream: boolean, frameBytes: number, contentBytes: number): void;
  /**
   * A piece of that frame's content. `last` is set exactly once per frame, on an empty piece if the frame has
   * no content.
   */
  onDataPiece(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** The input is not HTTP/2, or a frame contradicts itself: a connection error. The sink calls `stop`. */
  onReadFault(code: number, reason: string): void;
}

const prefaceBytes = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What the next byte belongs to. */
const Reading = { Preface: 0, Head: 1, Payload: 2, PadLength: 3, Content: 4, Rest: 5, Nothing: 6 } as const;
type Reading = (typeof Reading)[keyof typeof Reading];

/** Initial size of the gathering buffer, which doubles as needed. */
const leastGatherBytes = 256;

export class FrameReader {
  readonly #sink: FrameSink;
  #reading: Reading = Reading.Preface;
  /** Bytes of the preface, of a head or of a payload that earlier chunks have brought. */
  #gatheredBytes = 0;
  #gathered: Uint8Array | null = null;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes that are still to come of the part being read. */
  #remaining = 0;
  /** Padding after the content of the DATA frame being read. */
  #padBytes = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Nothing more is read. */
  stop(): void {
    this.#reading = Reading.Nothing;
    this.#gathered = null;
  }

  /** The payload of a frame other than DATA has begun and is incomplete. */
  get isGathering(): boolean {
    return this.#reading === Reading.Payload;
  }

  /** Reads the whole chunk, unless stopped on the way. */
  read(chunk: Uint8Array): void {
    const end = chunk.length;
    let offset = 0;
    for (;;) {
      switch (this.#reading) {
        case Reading.Head: {
          if (offset === end) return;
          if (this.#gatheredBytes === 0 && end - offset >= frameHeadBytes) {
            this.#parseHead(chunk, offset);
            offset += frameHeadBytes;
            break;
          }
          offset = this.#gather(chunk, offset, end, frameHeadBytes);
          if (this.#gatheredBytes < frameHeadBytes) return;
          this.#gatheredBytes = 0;
          this.#parseHead(this.#gathered as Uint8Array, 0);
          break;
        }
        case Reading.Payload: {
          const bytes = this.#remaining;
          if (this.#gatheredBytes === 0 && end - offset >= bytes) {
            // Set before the call, because the sink may stop this reader.
            this.#reading = Reading.Head;
            this.#sink.onFrame(this.#type, this.#flags, this.#streamId, chunk, offset, offset + bytes);
            offset += bytes;
            break;
          }
          if (offset === end) return;
          offset = this.#gather(chunk, offset, end, bytes);
          if (this.#gatheredBytes < bytes) return;
          const gathered = this.#gathered as Uint8Array;
          this.#gathered = null;
          this.#gatheredBytes = 0;
          this.#reading = Reading.Head;
          this.#sink.onFrame(this.#type, this.#flags, this.#streamId, gathered, 0, bytes);
          break;
        }
        case Reading.PadLength:
          if (offset === end) return;
          this.#beginContent(chunk[offset++]);
          break;
        case Reading.Content: {
          const count = Math.min(this.#remaining, end - offset);
          if (count === 0 && this.#remaining > 0) return;
          this.#remaining -= count;
          const last = this.#remaining === 0;
          if (last) this.#beginRest(this.#padBytes);
          this.#sink.onDataPiece(chunk, offset, offset + count, last);
          offset += count;
          break;
        }
        case Reading.Rest: {
          const count = Math.min(this.#remaining, end - offset);
          this.#remaining -= count;
          offset += count;
          if (this.#remaining > 0) return;
          this.#reading = Reading.Head;
          break;
        }
        case Reading.Preface:
          if (offset === end) return;
          offset = this.#readPreface(chunk, offset, end);
          break;
        default:
          return;
      }
    }
  }

  #readPreface(chunk: Uint8Array, offset: number, end: number): number {
    while (offset < end && this.#gatheredBytes < prefaceBytes.length) {
      if (chunk[offset++] !== prefaceBytes[this.#gatheredBytes++]) {
        this.#sink.onReadFault(ErrorCode.ProtocolError, 'not the HTTP/2 connection preface');
        return end;
      }
    }
    if (this.#gatheredBytes === prefaceBytes.length) {
      this.#gatheredBytes = 0;
      this.#reading = Reading.Head;
      this.#sink.onPreface();
    }
    return offset;
  }

  #parseHead(bytes: Uint8Array, at: number): void {
    const payloadBytes = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    const type = bytes[at + 3];
    const flags = bytes[at + 4];
    // The highest bit is reserved and must be ignored (RFC 9113 section 4.1).
    const streamId =
      ((bytes[at + 5] & 0x7f) << 24) | (bytes[at + 6] << 16) | (bytes[at + 7] << 8) | bytes[at + 8];
    this.#type = type;
    this.#flags = flags;
    this.#streamId = streamId;
    this.#remaining = payloadBytes;
    this.#reading = Reading.Payload;
    const verdict = this.#sink.onHead(type, flags, streamId, payloadBytes);
    if (this.#reading !== Reading.Payload) return;
    if (verdict === HeadVerdict.Skip) {
      this.#beginRest(payloadBytes);
    } else if (type === FrameType.Data) {
      if ((flags & Flag.Padded) !== 0) this.#reading = Reading.PadLength;
      else this.#beginContent(-1);
    }
  }

  /** @param padBytes value of the Pad Length field; -1: the field is absent */
  #beginContent(padBytes: number): void {
    const frameBytes = this.#remaining;
    // The padding is as long as the payload or longer (6.1).
    if (padBytes >= frameBytes) {
      this.#sink.onReadFault(ErrorCode.ProtocolError, 'DATA: padding exceeds the payload');
      return;
    }
    const contentBytes = padBytes < 0 ? frameBytes : frameBytes - 1 - padBytes;
    this.#padBytes = Math.max(padBytes, 0);
    this.#remaining = contentBytes;
    this.#reading = Reading.Content;
    this.#sink.onDataFrame(this.#streamId, (this.#flags & Flag.EndStream) !== 0, frameBytes, contentBytes);
  }

  #beginRest(bytes: number): void {
    this.#remaining = bytes;
    this.#reading = bytes === 0 ? Reading.Head : Reading.Rest;
  }

  /**
   * Adds to the gathered bytes until there are `wanted`.
   * @returns the offset after what was taken
   */
  #gather(chunk: Uint8Array, offset: number, end: number, wanted: number): number {
    const have = this.#gatheredBytes;
    const count = Math.min(wanted - have, end - offset);
    let gathered = this.#gathered;
    if (gathered === null || gathered.length < have + count) {
      const larger = Buffer.allocUnsafe(Math.min(wanted, Math.max(leastGatherBytes, 2 * (have + count))));
      if (gathered !== null) copyBytes(larger, 0, gathered, 0, have);
      gathered = larger;
      this.#gathered = gathered;
    }
    copyBytes(gathered, have, chunk, offset, offset + count);
    this.#gatheredBytes = have + count;
    return offset + count;
  }
}
