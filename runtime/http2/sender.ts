/**
 * Sends responses, each from its head to its end. What may leave goes into the output at once, as field
 * sections (section-writer.ts) and content (content-writer.ts). The rest waits with its stream, from which
 * the scheduler's turns take it.
 *
 * A peer that does not read gets only what it needs: an interim response other than 100 is left out if it
 * could not leave at once.
 */
import type { OutputBuffers } from '../bytes/output-buffers.ts';
import { SendQueue } from '../bytes/send-queue.ts';
import type { AbuseBudgets } from './budgets.ts';
import { type ContentLimits, ContentWriter } from './content-writer.ts';
import type { EngineCounters } from './counters.ts';
import { EngineMisuseError, ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import type { FrameWriter } from './frame-writer.ts';
import { initialWindowBytes } from './frames.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { SendScheduler } from './scheduler.ts';
import { SectionWriter } from './section-writer.ts';
import { SendStalls } from './send-stalls.ts';
import { type Http2Stream, ResponsePhase, type SendRoom } from './stream.ts';
import { StreamInput, StreamState, transition } from './stream-state.ts';
import type { Streams } from './streams.ts';

/** 100 (RFC 9110 section 15.2.1). */
const CONTINUE = 100;
const NO_FIELDS: readonly string[] = [];

/** How much output, not yet taken by the socket, makes something wait. */
export interface OutputLimits extends ContentLimits {
  /** Heads and trailers. */
  readonly sectionLimitBytes: number;
}

export class Sender implements SendRoom {
  readonly #events: EngineEvents;
  readonly #lifecycle: Lifecycle;
  readonly #scheduler: SendScheduler;
  readonly #buffers: OutputBuffers;
  readonly #sections: SectionWriter;
  readonly #content: ContentWriter;
  readonly #stalls: SendStalls;
  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE. */
  streamWindowBytes = initialWindowBytes;

  constructor(
    events: EngineEvents,
    writer: FrameWriter,
    encoder: HpackEncoder,
    lifecycle: Lifecycle,
    scheduler: SendScheduler,
    budgets: AbuseBudgets,
    counters: EngineCounters,
    buffers: OutputBuffers,
    limits: OutputLimits,
  ) {
    this.#events = events;
    this.#lifecycle = lifecycle;
    this.#scheduler = scheduler;
    this.#buffers = buffers;
    this.#sections = new SectionWriter(writer, encoder, scheduler, limits.sectionLimitBytes);
    this.#stalls = new SendStalls(scheduler, lifecycle, budgets);
    this.#content = new ContentWriter(writer, counters, this.#stalls, limits);
  }

  /** Whether `run` would place something now. */
  get canRun(): boolean {
    return this.#sections.canSendHeld || this.#canSendContent;
  }

  get #canSendContent(): boolean {
    return this.#scheduler.first !== null && this.#content.windowBytes > 0 && !this.#content.isFull;
  }

  /** A head, trailers or a promise could leave at once. */
  get hasSectionRoom(): boolean {
    return this.#sections.hasRoom;
  }

  /** The most that is in the output because a field section began below the limit and ended beyond it. */
  get beyondBytes(): number {
    return this.#sections.beyondBytes;
  }

  /** What the peer accepts on all streams together. */
  get windowBytes(): number {
    return this.#content.windowBytes;
  }

  /** There is so much output that content must wait for the socket. */
  get isFull(): boolean {
    return this.#content.isFull;
  }

  /** Charges streams whose data the peer's windows hold back, for this many seconds. */
  chargeStalls(streams: Streams, seconds: number): void {
    this.#stalls.charge(streams, this.#content.windowBytes <= 0, seconds);
  }

  roomFor(stream: Http2Stream): number {
    if (stream.state >= StreamState.ClosedByEnd || stream.head !== null) return 0;
    return Math.max(0, this.#content.roomFor(stream) - stream.queuedBytes);
  }

  inform(stream: Http2Stream, status: number, fields: readonly string[]): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.response !== ResponsePhase.Awaited) {
      throw new EngineMisuseError(
        stream.id,
        'interim responses before the head',
        'the head was already given',
      );
    }
    // 101 does not exist in HTTP/2 (RFC 9113 section 8.6).
    if (status < 100 || status > 199 || status === 101) {
      throw new EngineMisuseError(
        stream.id,
        'an interim status of 100 or 102 to 199',
        `got status ${status}`,
      );
    }
    const { hasRoom } = this.#sections;
    if (status === CONTINUE) {
      // The peer may wait for it, so it leaves whether the peer reads or not. Once is enough: both the application and its
      // first read of the content cause a 100.
      if (stream.isInvited) return;
      stream.isInvited = true;
    } else if (!hasRoom) {
      // A peer that does not read gets the response without hints.
      return;
    }
    this.#sections.write(stream.id, status, fields, false, stream.padToMultipleOf);
    if (hasRoom) this.#sections.notePlaced();
    stream.state = transition(stream.state, StreamInput.SendHeaders).next;
  }

  respond(
    stream: Http2Stream,
    status: number,
    fields: readonly string[],
    endStream: boolean,
    added: readonly string[],
  ): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.response !== ResponsePhase.Awaited) {
      throw new EngineMisuseError(stream.id, 'one response head', 'got a second one');
    }
    if (status < 200 || status > 599) {
      throw new EngineMisuseError(stream.id, 'a final status of 200 to 599', `got status ${status}`);
    }
    stream.status = status;
    if (endStream) {
      stream.response = ResponsePhase.Ending;
    } else {
      // RFC 9110 section 6.4.1. The owner makes the same calls as for any response; only the content does not
      // leave.
      const bodiless = status === 204 || status === 304 || stream.method === 'HEAD';
      stream.response = bodiless ? ResponsePhase.Bodiless : ResponsePhase.Started;
    }
    if (this.#sections.hasRoom) {
      this.#sendHead(stream, fields, endStream, added);
    } else {
      stream.head = added.length === 0 ? fields : [...fields, ...added];
      this.#scheduler.hold(stream);
    }
  }

  #sendHead(
    stream: Http2Stream,
    fields: readonly string[],
    endStream: boolean,
    added: readonly string[] = NO_FIELDS,
  ): void {
    this.#sections.write(stream.id, stream.status, fields, endStream, stream.padToMultipleOf, added);
    this.#sections.notePlaced();
    if (endStream) {
      this.#end(stream, StreamInput.SendHeadersEnd);
      this.#finishOrReset(stream);
    } else {
      stream.state = transition(stream.state, StreamInput.SendHeaders).next;
    }
  }

  /** Sends the field section that has waited longest. */
  #sendSection(stream: Http2Stream): void {
    this.#scheduler.remove(stream);
    const { head } = stream;
    if (head === null) {
      this.#writeTrailers(stream);
      this.#finishOrReset(stream);
      return;
    }
    stream.head = null;
    const isLast = stream.queuedBytes === 0 && stream.trailers === null;
    this.#sendHead(stream, head, isLast && stream.response === ResponsePhase.Ending);
    if (isLast) return;
    if (stream.queuedBytes > 0) this.#line(stream);
    else this.#scheduler.hold(stream);
  }

  write(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.response === ResponsePhase.Bodiless) {
      this.#swallow(stream, end - start, endStream);
      return;
    }
    this.#mustBeStarted(stream);
    const total = end - start;
    if (total === 0 && !endStream) return;
    if (endStream) stream.response = ResponsePhase.Ending;
    let placed = 0;
    // Other waiting streams go first. A bare end needs neither window nor room, and there would be nothing to
    // queue.
    if (stream.queuedBytes === 0 && stream.head === null && (total === 0 || this.#scheduler.first === null)) {
      if (total === 0) this.#content.writeEnd(stream);
      else placed = this.#content.place(stream, bytes, start, end, endStream);
      if (endStream && placed === total) this.#end(stream, StreamInput.SendDataEnd);
    }
    if (placed < total) {
      stream.queue ??= new SendQueue(this.#buffers);
      stream.queue.push(bytes, start + placed, end);
      this.#line(stream);
    }
    // The owner is told when the stream is consistent again, because it may write from within the event.
    if (placed > 0) this.#events.onSent(stream, placed);
    if (stream.response === ResponsePhase.Ended) this.#finishOrReset(stream);
  }

  trailers(stream: Http2Stream, fields: readonly string[]): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.response === ResponsePhase.Bodiless) {
      this.#swallow(stream, 0, true);
      return;
    }
    this.#mustBeStarted(stream);
    stream.response = ResponsePhase.Ending;
    stream.trailers = fields;
    if (stream.queuedBytes > 0 || stream.head !== null) return;
    if (this.#endWithTrailers(stream)) this.#finishOrReset(stream);
  }

  /**
   * The owner wants no more of the request. If the response is complete, there is nothing left to wait for.
   */
  dropRequest(stream: Http2Stream): void {
    stream.requestDropped = true;
    if (stream.response === ResponsePhase.Ended) this.#finishOrReset(stream);
  }

  /** Sends waiting field sections, then gives the scheduler's turns, while there is room. */
  run(): void {
    while (this.#sections.canSendHeld) this.#sendSection(this.#scheduler.firstSection as Http2Stream);
    while (this.#canSendContent) {
      const stream = this.#scheduler.first as Http2Stream;
      const queue = stream.queue as SendQueue;
      const count = this.#content.nextFrameBytes(stream, queue.bytes);
      if (count <= 0) {
        this.#scheduler.stall(stream);
        continue;
      }
      this.#scheduler.take(stream);
      const drained = count === queue.bytes;
      const end = drained && stream.response === ResponsePhase.Ending && stream.trailers === null;
      this.#content.placeQueued(stream, queue, count, end);
      if (drained) {
        this.#scheduler.remove(stream);
        if (end) this.#end(stream, StreamInput.SendDataEnd);
        else if (stream.trailers !== null) this.#endWithTrailers(stream);
      } else if (stream.sendWindow.available <= 0) {
        this.#scheduler.stall(stream);
      } else {
        this.#scheduler.rotate(stream);
      }
      this.#events.onSent(stream, count);
      if (stream.response === ResponsePhase.Ended) this.#finishOrReset(stream);
    }
  }

  /**
   * WINDOW_UPDATE on the connection.
   * @returns false: beyond 2^31-1 (RFC 9113 section 6.9.1)
   */
  grantConnection(increment: number): boolean {
    return this.#content.grant(increment);
  }

  /**
   * WINDOW_UPDATE on a stream.
   * @returns false: beyond 2^31-1
   */
  grantStream(stream: Http2Stream, increment: number): boolean {
    if (!stream.sendWindow.grant(increment)) return false;
    if (stream.queuedBytes > 0) this.#line(stream);
    return true;
  }

  /**
   * The peer's initial window has changed: every stream's window moves by the difference (6.9.2).
   * @returns false: beyond 2^31-1
   */
  changeStreamWindow(bytes: number, streams: Streams): boolean {
    const delta = bytes - this.streamWindowBytes;
    this.streamWindowBytes = bytes;
    if (delta === 0) return true;
    for (const stream of streams.values()) {
      if (!stream.sendWindow.adjust(delta)) return false;
      if (stream.queuedBytes > 0) this.#line(stream);
    }
    return true;
  }

  /** Sends PUSH_PROMISE (6.6) for the request of the stream. */
  promise(parentId: number, stream: Http2Stream): void {
    this.#sections.writePromise(parentId, stream);
  }

  /** The head of a response to a request without a stream object. */
  writeHead(streamId: number, status: number, fields: readonly string[], endStream: boolean): void {
    this.#sections.write(streamId, status, fields, endStream);
  }

  /** A stream with queued bytes enters the scheduler's ring, or waits for its window. */
  #line(stream: Http2Stream): void {
    // It enters when its head has left.
    if (stream.head !== null) return;
    if (stream.sendWindow.available > 0) this.#scheduler.ready(stream);
    else this.#scheduler.stall(stream);
  }

  /**
   * Content of a response that must have none counts as sent at once, so that the owner's credit continues.
   */
  #swallow(stream: Http2Stream, bytes: number, endStream: boolean): void {
    if (endStream && stream.head !== null) {
      stream.response = ResponsePhase.Ending;
    } else if (endStream) {
      this.#content.writeEnd(stream);
      this.#end(stream, StreamInput.SendDataEnd);
    }
    if (bytes > 0) this.#events.onSent(stream, bytes);
    if (stream.response === ResponsePhase.Ended) this.#finishOrReset(stream);
  }

  /**
   * All content has left.
   * @returns false: the trailers wait for room
   */
  #endWithTrailers(stream: Http2Stream): boolean {
    if (!this.#sections.hasRoom) {
      this.#scheduler.hold(stream);
      return false;
    }
    this.#writeTrailers(stream);
    return true;
  }

  #writeTrailers(stream: Http2Stream): void {
    const fields = stream.trailers as readonly string[];
    stream.trailers = null;
    // An empty DATA frame says the same as a HEADERS frame that only ends the stream, in fewer bytes.
    if (fields.length === 0) {
      this.#content.writeEnd(stream);
      this.#end(stream, StreamInput.SendDataEnd);
    } else {
      this.#sections.write(stream.id, 0, fields, true, stream.padToMultipleOf);
      this.#sections.notePlaced();
      this.#end(stream, StreamInput.SendHeadersEnd);
    }
  }

  /** END_STREAM has been written. */
  #end(stream: Http2Stream, input: StreamInput): void {
    stream.response = ResponsePhase.Ended;
    stream.state = transition(stream.state, input).next;
  }

  /** Finishes or resets the stream after its response has ended, once the owner knows of its last bytes. */
  #finishOrReset(stream: Http2Stream): void {
    if (stream.state === StreamState.ClosedByEnd) {
      this.#lifecycle.finish(stream, 'complete', ErrorCode.NoError);
    } else if (stream.requestDropped) {
      // The response is complete; the rest of the request is not needed (RFC 9113 section 8.1).
      this.#lifecycle.resetStream(stream, ErrorCode.NoError, 'complete');
    }
  }

  #mustBeStarted(stream: Http2Stream): void {
    if (stream.response === ResponsePhase.Started) return;
    const actual = stream.response === ResponsePhase.Awaited ? 'no head was given' : 'the response has ended';
    throw new EngineMisuseError(stream.id, 'content and trailers between head and end', actual);
  }
}
