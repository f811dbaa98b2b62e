/**
 * Writes content into DATA frames: how much of it the peer's windows and the output allow, how it is padded,
 * and what it counts for in the ratio of frames to bytes.
 *
 * Content that can leave at once is copied once, from the owner's bytes to the output.
 */
import { Window } from '../../wire/window.ts';
import type { SendQueue } from '../bytes/send-queue.ts';
import type { EngineCounters } from './counters.ts';
import type { FrameWriter } from './frame-writer.ts';
import { frameHeadBytes, initialMaxFrameBytes, initialWindowBytes } from './frames.ts';
import type { SendStalls } from './send-stalls.ts';
import type { Http2Stream } from './stream.ts';

/**
 * The most content in one frame, and so a stream's share of a turn. A peer may allow more
 * (SETTINGS_MAX_FRAME_SIZE) but never less; longer frames would only make the others wait.
 */
const quantumBytes = initialMaxFrameBytes;

/** A shorter DATA frame that a window has cut is a crumb: it costs more than its content is worth. */
const leastWholeBytes = 1024;

const emptyBytes = new Uint8Array(0);

/** The unsent output at which content waits. */
export interface ContentLimits {
  /** While the socket is behind. */
  readonly outputLimitBytes: number;
  /**
   * While the socket takes everything that it is given: the more goes into one write, the less each byte
   * costs.
   */
  readonly batchLimitBytes: number;
}

export class ContentWriter {
  readonly #writer: FrameWriter;
  readonly #counters: EngineCounters;
  readonly #stalls: SendStalls;
  readonly #outputLimitBytes: number;
  readonly #batchLimitBytes: number;
  /** The peer's window for all streams together. */
  readonly #window = new Window(initialWindowBytes);

  constructor(writer: FrameWriter, counters: EngineCounters, stalls: SendStalls, limits: ContentLimits) {
    this.#writer = writer;
    this.#counters = counters;
    this.#stalls = stalls;
    this.#outputLimitBytes = limits.outputLimitBytes;
    this.#batchLimitBytes = limits.batchLimitBytes;
  }

  /** What the peer accepts on all streams together. */
  get windowBytes(): number {
    return this.#window.available;
  }

  /**
   * WINDOW_UPDATE on the connection.
   * @returns false: beyond 2^31-1 (RFC 9113 section 6.9.1)
   */
  grant(increment: number): boolean {
    return this.#window.grant(increment);
  }

  /** There is so much output that content must wait for the socket. */
  get isFull(): boolean {
    return this.#outputRoom <= 0;
  }

  get #outputRoom(): number {
    const limit = this.#writer.isBehind ? this.#outputLimitBytes : this.#batchLimitBytes;
    return limit - this.#writer.unsentBytes;
  }

  /** The content that the windows and the output have room for, if nothing of the stream waits before it. */
  roomFor(stream: Http2Stream): number {
    return Math.min(stream.sendWindow.available, this.#window.available, this.#outputRoom);
  }

  /** Writes an empty DATA frame with END_STREAM. */
  writeEnd(stream: Http2Stream): void {
    this.#writer.data(stream.id, emptyBytes, 0, 0, true);
  }

  /**
   * Puts as many frames of the content into the output as may leave now; the very last one gets `endStream`.
   * @returns the bytes placed
   */
  place(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): number {
    let at = start;
    while (at < end && !this.isFull) {
      const room = this.#frameRoom(stream);
      const count = Math.min(contentRoom(stream, room), end - at);
      if (count <= 0) break;
      const padding = paddingOf(stream, count, room);
      this.#writer.data(stream.id, bytes, at, at + count, endStream && count === end - at, padding);
      at += count;
      this.#took(stream, count + padding, at === end);
    }
    return at - start;
  }

  /** The content of the stream's next frame, of `bytes` that wait; 0 or less if a window is shut. */
  nextFrameBytes(stream: Http2Stream, bytes: number): number {
    return Math.min(contentRoom(stream, this.#frameRoom(stream)), bytes);
  }

  /**
   * Puts one frame of queued content into the output.
   * @param count from `nextFrameBytes`
   */
  placeQueued(stream: Http2Stream, queue: SendQueue, count: number, endStream: boolean): void {
    const isLast = count === queue.bytes;
    const padding = paddingOf(stream, count, this.#frameRoom(stream));
    const chunk = this.#writer.reserve(frameHeadBytes + count + padding);
    const offset = this.#writer.beginData(chunk, stream.id, count, padding, endStream);
    queue.moveTo(chunk.buffer, offset, count);
    this.#took(stream, count + padding, isLast);
  }

  /** The payload that one DATA frame of the stream can have now; 0 or less if a window is shut. */
  #frameRoom(stream: Http2Stream): number {
    return Math.min(stream.sendWindow.available, this.#window.available, quantumBytes, this.#writer.dataRoom);
  }

  /**
   * A DATA frame has been written.
   * @param isLast the frame held everything that the stream had to send
   */
  #took(stream: Http2Stream, bytes: number, isLast: boolean): void {
    stream.sendWindow.consume(bytes);
    this.#window.consume(bytes);
    stream.sentBytes += bytes;
    if (stream.stalledSeconds > 0) this.#stalls.forgive(stream, bytes);
    if (bytes >= leastWholeBytes) {
      this.#counters.dataFramesOut++;
      this.#counters.dataKibibytesOut += bytes >> 10;
      stream.isCut = false;
    } else if (!isLast) {
      stream.isCut = true;
    } else if (stream.isCut) {
      // The rest of a message that was cut into crumbs is a crumb itself.
      stream.isCut = false;
    } else {
      this.#counters.dataFramesOut++;
      this.#counters.dataKibibytesOut++;
    }
  }
}

/** The content that a frame with this much room can have: padding needs one byte for its own length. */
function contentRoom(stream: Http2Stream, room: number): number {
  return stream.padToMultipleOf === 0 || room < 2 ? room : room - 1;
}

/**
 * Bytes that padding adds to a DATA payload, including its length byte. Padding takes only the room that is
 * left, so it never holds content back for a window (RFC 9113 section 6.9.1 counts it like content).
 */
function paddingOf(stream: Http2Stream, count: number, room: number): number {
  const multiple = stream.padToMultipleOf;
  if (multiple === 0 || room <= count) return 0;
  const short = (multiple - ((count + 1) % multiple)) % multiple;
  return 1 + Math.min(short, room - count - 1);
}
