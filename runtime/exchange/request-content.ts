/**
 * The content of a request between its peer and its thread. Content that has arrived waits here until the
 * application's credit lets it cross. When the application has consumed some, the transport gives the peer
 * credit for as much, so at most one window waits.
 *
 * No content is sent before the thread has granted credit, which only a thread that has claimed the exchange
 * can. The end of a request without content, with trailers or without, needs no credit. A thread that has
 * not claimed the exchange ignores it.
 */
import { corrupt } from '../../wire/decoder.ts';
import { Flag } from '../../wire/messages.ts';
import { Window } from '../../wire/window.ts';
import type { JobThread, OpeningThread } from '../pools/job.ts';
import { ByteQueue } from './byte-queue.ts';

const NO_BYTES = new Uint8Array(0);

/** Where the content of a request is. */
export interface RequestFlow {
  /** Has arrived, and waits for the application's credit. */
  readonly waitingBytes: number;
  /** How much more the application is willing to receive. */
  readonly creditBytes: number;
  /** Has crossed to the thread, and the application has not consumed it. */
  readonly crossedBytes: number;
  /** The peer has sent all of it. */
  readonly isWhole: boolean;
}

export class RequestContent {
  #waiting: ByteQueue | null = null;
  #trailers: readonly string[] | null = null;
  /** True if the peer has sent all of it. */
  #isWhole: boolean;
  /** True if the thread has been told of the end of the content. */
  #isEndSent = false;
  readonly #credit = new Window(0);
  /** Bytes that have crossed to the thread and have not been consumed there. */
  #crossedBytes = 0;
  /** True if the application has begun to read. */
  #isAskedFor = false;

  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  get isEndSent(): boolean {
    return this.#isEndSent;
  }

  get isAskedFor(): boolean {
    return this.#isAskedFor;
  }

  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  /** True if the application wants more than has arrived. */
  get isAwaited(): boolean {
    return this.#waiting === null && this.#credit.available > 0;
  }

  /** True if the application has read some content, and wants no more now. */
  get isHeldBack(): boolean {
    return this.#isAskedFor && this.#waiting !== null && this.#credit.available <= 0;
  }

  /** True if there is neither content nor a trailer section, so OPEN is the whole request. */
  get isNothing(): boolean {
    return this.#isWhole && this.#waiting === null && this.#trailers === null;
  }

  /** True if content waits to be sent and lacks nothing but, possibly, room in the thread's ring. */
  get isUnsent(): boolean {
    if (this.#waiting !== null && this.#waiting.length > 0) return this.#credit.available > 0;
    return this.#isWhole && !this.#isEndSent;
  }

  /** For the diagnosis of stalled exchanges. */
  get flow(): RequestFlow {
    return {
      waitingBytes: this.#waiting?.length ?? 0,
      creditBytes: Math.max(0, this.#credit.available),
      crossedBytes: this.#crossedBytes,
      isWhole: this.#isWhole,
    };
  }

  // ---- from the peer

  /** @param thread null: no thread has the exchange yet */
  take(
    thread: JobThread | null,
    slot: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    last: boolean,
  ): void {
    if (last) this.#isWhole = true;
    let from = start;
    if (this.#waiting === null && thread !== null) from = this.#sendAtOnce(thread, slot, bytes, start, end);
    if (from === end) return;
    this.#waiting ??= new ByteQueue();
    this.#waiting.push(bytes, from, end);
  }

  takeTrailers(fields: readonly string[]): void {
    this.#trailers = fields;
    this.#isWhole = true;
  }

  /** Drops the waiting content, which is no longer wanted. */
  drop(): void {
    this.#waiting = null;
  }

  // ---- to the thread

  /** Called when OPEN has been sent. @param whole true if OPEN said that there is no content */
  opened(thread: OpeningThread, slot: number, whole: boolean): boolean {
    this.#isEndSent = whole;
    // These trailers arrived before the thread had the exchange, and there was no content before them. No
    // later call would send them, because an application that waits only for trailers grants no credit. A
    // thread that does not claim the exchange drops them together with OPEN.
    if (!whole && this.#isWhole && this.#waiting === null)
      this.#isEndSent = thread.channel.sendTrailers(slot, this.#trailers ?? []);
    return this.#isEndSent || !this.#isWhole || this.#waiting !== null;
  }

  /** Sends what waits for room in the ring or for credit. @returns false if the ring is full */
  send(thread: JobThread, slot: number): boolean {
    const waiting = this.#waiting;
    while (waiting !== null && waiting.length > 0) {
      const most = Math.min(this.#credit.available, thread.channel.maxDataRecordBytes);
      if (most <= 0) return true;
      const piece = waiting.peek(most);
      const last = this.#isWhole && this.#trailers === null && piece.length === waiting.length;
      if (!this.#sendPiece(thread, slot, piece, 0, piece.length, last)) return false;
      waiting.skip(piece.length);
    }
    this.#waiting = null;
    if (!this.#isWhole || this.#isEndSent) return true;
    this.#isEndSent =
      this.#trailers === null
        ? thread.channel.sendData(slot, Flag.End, NO_BYTES, 0, 0)
        : thread.channel.sendTrailers(slot, this.#trailers);
    return this.#isEndSent;
  }

  /**
   * Copies directly from the socket's buffer into the ring.
   * @returns the offset of the rest, which has to wait
   */
  #sendAtOnce(thread: JobThread, slot: number, bytes: Uint8Array, start: number, end: number): number {
    let from = start;
    while (from < end) {
      const to = Math.min(end, from + Math.min(this.#credit.available, thread.channel.maxDataRecordBytes));
      if (to <= from || !this.#sendPiece(thread, slot, bytes, from, to, this.#isWhole && to === end)) break;
      from = to;
    }
    return from;
  }

  #sendPiece(
    thread: JobThread,
    slot: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    last: boolean,
  ): boolean {
    if (!thread.channel.sendData(slot, last ? Flag.End : 0, bytes, start, end)) return false;
    this.#credit.consume(end - start);
    this.#crossedBytes += end - start;
    thread.tally.requestBytes += end - start;
    if (last) this.#isEndSent = true;
    return true;
  }

  // ---- credit from the thread

  /**
   * @returns true for the first grant, with which the application begins to read
   * @throws WireError if the thread reports more bytes as consumed than have crossed
   */
  grant(granted: number, consumed: number): boolean {
    const isFirst = granted > 0 && !this.#isAskedFor;
    if (isFirst) this.#isAskedFor = true;
    if (consumed > this.#crossedBytes)
      throw corrupt(`at most ${this.#crossedBytes} bytes consumed`, consumed);
    this.#crossedBytes -= consumed;
    this.#credit.grant(granted);
    return isFirst;
  }
}
