/** Writes frames into the output. */

import { copyBytes, type OutputBuffers, type OutputChunk } from '../bytes/output-buffers.ts';
import { OutputQueue } from '../bytes/output-queue.ts';
import type { EngineCounters } from './counters.ts';
import { Flag, FrameType, frameHeadBytes, initialMaxFrameBytes } from './frames.ts';

export class FrameWriter extends OutputQueue {
  readonly #counters: EngineCounters;

  constructor(buffers: OutputBuffers, counters: EngineCounters) {
    super(buffers, frameHeadBytes);
    this.#counters = counters;
  }

  /**
   * Opens a frame whose payload of `bytes` bytes the caller puts after the head.
   * @returns the payload's offset
   */
  begin(chunk: OutputChunk, type: number, flags: number, streamId: number, bytes: number): number {
    const offset = chunk.length;
    putFrameHead(chunk.buffer, offset, bytes, type, flags, streamId);
    this.#counters.framesOut[type]++;
    this.commit(chunk, frameHeadBytes + bytes);
    return offset + frameHeadBytes;
  }

  /** @param padding bytes that padding adds to the payload, its length byte included; 0: none */
  data(
    streamId: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    endStream: boolean,
    padding = 0,
  ): void {
    const chunk = this.reserve(frameHeadBytes + end - start + padding);
    copyBytes(
      chunk.buffer,
      this.beginData(chunk, streamId, end - start, padding, endStream),
      bytes,
      start,
      end,
    );
  }

  /**
   * Opens a DATA frame and writes its padding.
   * @returns where its content goes
   */
  beginData(
    chunk: OutputChunk,
    streamId: number,
    bytes: number,
    padding: number,
    endStream: boolean,
  ): number {
    const flags = (endStream ? Flag.EndStream : 0) | (padding > 0 ? Flag.Padded : 0);
    const offset = this.begin(chunk, FrameType.Data, flags, streamId, bytes + padding);
    if (padding === 0) return offset;
    putPadding(chunk.buffer, offset, bytes, padding);
    return offset + 1;
  }

  /**
   * As `headers`, padded to a multiple of this many bytes; the block lies one byte further on. A block that
   * needs more than one frame is not padded, because only the first frame has a place for padding (RFC 9113
   * section 6.2).
   */
  paddedHeaders(
    chunk: OutputChunk,
    streamId: number,
    endStream: boolean,
    blockBytes: number,
    padTo: number,
  ): void {
    const start = chunk.length + frameHeadBytes;
    const short = (padTo - ((blockBytes + 1) % padTo)) % padTo;
    const padding = 1 + Math.max(0, Math.min(short, initialMaxFrameBytes - blockBytes - 1));
    if (blockBytes + 1 > initialMaxFrameBytes) {
      chunk.buffer.copyWithin(start, start + 1, start + 1 + blockBytes);
      this.headers(chunk, streamId, endStream, blockBytes);
      return;
    }
    const flags = Flag.EndHeaders | Flag.Padded | (endStream ? Flag.EndStream : 0);
    putPadding(chunk.buffer, start, blockBytes, padding);
    this.begin(chunk, FrameType.Headers, flags, streamId, blockBytes + padding);
  }

  /**
   * Completes a field block of `blockBytes` that the caller has encoded after the room for a frame head at
   * the chunk's `length`. It becomes one HEADERS frame, and CONTINUATIONs if it is longer than the frame size
   * that every peer must accept (RFC 9113 section 4.2).
   */
  headers(chunk: OutputChunk, streamId: number, endStream: boolean, blockBytes: number): void {
    this.#block(chunk, FrameType.Headers, endStream ? Flag.EndStream : 0, streamId, blockBytes);
  }

  /** As `headers`, with the four bytes of the promised stream's id before the block. */
  pushPromise(chunk: OutputChunk, streamId: number, promisedId: number, blockBytes: number): void {
    putUint32(chunk.buffer, chunk.length + frameHeadBytes, promisedId);
    this.#block(chunk, FrameType.PushPromise, 0, streamId, 4 + blockBytes);
  }

  #block(chunk: OutputChunk, type: number, flags: number, streamId: number, blockBytes: number): void {
    const first = Math.min(blockBytes, initialMaxFrameBytes);
    this.begin(chunk, type, first === blockBytes ? flags | Flag.EndHeaders : flags, streamId, first);
    let rest = blockBytes - first;
    while (rest > 0) {
      const count = Math.min(rest, initialMaxFrameBytes);
      const at = chunk.length;
      chunk.buffer.copyWithin(at + frameHeadBytes, at, at + rest);
      rest -= count;
      this.begin(chunk, FrameType.Continuation, rest === 0 ? Flag.EndHeaders : 0, streamId, count);
    }
  }

  rstStream(streamId: number, code: number): void {
    const chunk = this.reserve(frameHeadBytes + 4);
    putUint32(chunk.buffer, this.begin(chunk, FrameType.RstStream, 0, streamId, 4), code);
  }

  windowUpdate(streamId: number, increment: number): void {
    const chunk = this.reserve(frameHeadBytes + 4);
    putUint32(chunk.buffer, this.begin(chunk, FrameType.WindowUpdate, 0, streamId, 4), increment);
  }

  /** `entries`: id, value, id, value… */
  settings(entries: readonly number[]): void {
    const chunk = this.reserve(frameHeadBytes + entries.length * 3);
    const buffer = chunk.buffer;
    let at = this.begin(chunk, FrameType.Settings, 0, 0, entries.length * 3);
    for (let i = 0; i < entries.length; i += 2, at += 6) {
      buffer[at] = entries[i] >>> 8;
      buffer[at + 1] = entries[i] & 0xff;
      putUint32(buffer, at + 2, entries[i + 1]);
    }
  }

  settingsAck(): void {
    this.begin(this.reserve(frameHeadBytes), FrameType.Settings, Flag.Ack, 0, 0);
  }

  /** bytes[start, start+8) is the opaque data. */
  ping(ack: boolean, bytes: Uint8Array, start: number): void {
    const chunk = this.reserve(frameHeadBytes + 8);
    const offset = this.begin(chunk, FrameType.Ping, ack ? Flag.Ack : 0, 0, 8);
    copyBytes(chunk.buffer, offset, bytes, start, start + 8);
  }

  goaway(lastStreamId: number, code: number, debug: string): void {
    const chunk = this.reserve(frameHeadBytes + 8 + debug.length);
    const offset = this.begin(chunk, FrameType.Goaway, 0, 0, 8 + debug.length);
    putUint32(chunk.buffer, offset, lastStreamId);
    putUint32(chunk.buffer, offset + 4, code);
    chunk.buffer.write(debug, offset + 8, 'latin1');
  }
}

/** Writes the length byte before a payload's content and the zeros after it (RFC 9113 section 6.1). */
function putPadding(target: Uint8Array, offset: number, bytes: number, padding: number): void {
  target[offset] = padding - 1;
  target.fill(0, offset + 1 + bytes, offset + bytes + padding);
}

export function putFrameHead(
  target: Uint8Array,
  offset: number,
  bytes: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  target[offset] = bytes >>> 16;
  target[offset + 1] = bytes >>> 8;
  target[offset + 2] = bytes;
  target[offset + 3] = type;
  target[offset + 4] = flags;
  target[offset + 5] = streamId >>> 24;
  target[offset + 6] = streamId >>> 16;
  target[offset + 7] = streamId >>> 8;
  target[offset + 8] = streamId;
}

export function putUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}
