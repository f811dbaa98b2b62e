/**
 * Responses: heads, content and trailers into the output, as far as windows and output room allow; the rest
 * into the stream's queue, from where the scheduler's turns take it.
 *
 * Content that can leave at once is copied once, from the owner's bytes to the output. Heads and trailers are
 * not under flow control, so they may leave while content waits, but a peer that does not read must not make us hold them in the
 * output, where they would count as what it makes us answer. From `sectionLimitBytes` on they wait with their streams, and what is only
 * a hint, an interim response or a promise, is left out.
 */
import { Window } from '../../wire/window.ts';
import type { OutputBuffers, OutputChunk } from '../bytes/output-buffers.ts';
import { SendQueue } from '../bytes/send-queue.ts';
import type { AbuseBudgets } from './budgets.ts';
import type { EngineCounters } from './counters.ts';
import { EngineMisuseError, ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import type { FrameWriter } from './frame-writer.ts';
import { frameHeadBytes, initialMaxFrameBytes, initialWindowBytes } from './frames.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { SendScheduler } from './scheduler.ts';
import { type Http2Stream, ResponsePhase, type SendRoom, SendWaiting } from './stream.ts';
import { StreamInput, StreamState, transition } from './stream-state.ts';
import type { Streams } from './streams.ts';

/**
 * The most content in one frame, and so a stream's share of a turn. A peer may allow more
 * (SETTINGS_MAX_FRAME_SIZE), never less; longer frames would only make the others wait.
 */
const quantumBytes = initialMaxFrameBytes;

/** A DATA frame below this that a window cut short is a crumb: what it costs is not what it carries. */
const leastWholeBytes = 1024;

/** 100 (RFC 9110 section 15.2.1). */
const CONTINUE = 100;

/** Output that the socket has not taken at which something waits. */
export interface OutputLimits {
  /** Content, while the socket is behind. */
  readonly outputLimitBytes: number;
  /** Content, while the socket takes all that it is given. */
  readonly batchLimitBytes: number;
  /** Heads and trailers. */
  readonly sectionLimitBytes: number;
}

/** A stream that takes this much each second is slow and not stalled: as the default of `limits.responseRate`. */
const leastBytesPerSecond = 240;

export class Sender implements SendRoom {
  readonly #events: EngineEvents;
  readonly #writer: FrameWriter;
  readonly #encoder: HpackEncoder;
  readonly #lifecycle: Lifecycle;
  readonly #scheduler: SendScheduler;
  readonly #budgets: AbuseBudgets;
  readonly #counters: EngineCounters;
  readonly #buffers: OutputBuffers;
  readonly #outputLimitBytes: number;
  /** The limit while the socket takes all that it is given: the more in one write, the less each byte costs. */
  readonly #batchLimitBytes: number;
  /** Output at which heads and trailers wait for the socket. */
  readonly #sectionLimitBytes: number;
  /** How far the last of them went beyond that. */
  #beyondBytes = 0;
  readonly #window = new Window(initialWindowBytes);
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
    this.#writer = writer;
    this.#encoder = encoder;
    this.#lifecycle = lifecycle;
    this.#scheduler = scheduler;
    this.#budgets = budgets;
    this.#counters = counters;
    this.#buffers = buffers;
    this.#outputLimitBytes = limits.outputLimitBytes;
    this.#batchLimitBytes = limits.batchLimitBytes;
    this.#sectionLimitBytes = limits.sectionLimitBytes;
  }

  /** Whether `run` would place something now. */
  get canRun(): boolean {
    return this.#canSendSection || this.#canSendContent;
  }

  get #canSendContent(): boolean {
    return this.#scheduler.first !== null && this.#window.available > 0 && !this.isFull;
  }

  /** A section that waits would leave. */
  get #canSendSection(): boolean {
    return this.#scheduler.holdsSections && this.#writer.unsentBytes < this.#sectionLimitBytes;
  }

  /** A head, trailers or a promise that came now would leave at once. */
  get hasSectionRoom(): boolean {
    return this.#writer.unsentBytes < this.#sectionLimitBytes && !this.#scheduler.holdsSections;
  }

  /** What is in the output because a section began below the limit and ended beyond it, at most. */
  get beyondBytes(): number {
    return this.#beyondBytes;
  }

  /** What the peer lets us send on all streams together. */
  get windowBytes(): number {
    return this.#window.available;
  }

  /** There is so much output that content has to wait for the socket. */
  get isFull(): boolean {
    return this.#outputRoom <= 0;
  }

  get #outputRoom(): number {
    const limit = this.#writer.isBehind ? this.#outputLimitBytes : this.#batchLimitBytes;
    return limit - this.#writer.unsentBytes;
  }

  /**
   * Charges streams with data that the peer's windows hold back, for so many seconds. What a stream takes later pays
   * for the time that it waited for.
   */
  chargeStalls(streams: Streams, seconds: number): void {
    const isShut = this.#window.available <= 0;
    let stalled = this.#scheduler.stalledCount;
    if (isShut) stalled += this.#scheduler.readyCount;
    if (stalled === 0 || seconds === 0) return;
    for (const stream of streams.values()) {
      if (stream.waiting === SendWaiting.Window || (isShut && stream.waiting === SendWaiting.Turn)) {
        stream.stalledSeconds += seconds;
      }
    }
    this.#lifecycle.spend('stalledStreamSeconds', stalled * seconds);
  }

  roomFor(stream: Http2Stream): number {
    if (stream.state >= StreamState.ClosedByEnd || stream.head !== null) return 0;
    const room = Math.min(stream.sendWindow.available, this.#window.available, this.#outputRoom);
    return Math.max(0, room - stream.queuedBytes);
  }

  inform(stream: Http2Stream, status: number, fields: readonly string[]): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.response !== ResponsePhase.Awaited) {
      throw new EngineMisuseError(stream.id, 'interim responses before the head', 'the head has gone');
    }
    // 101 does not exist in HTTP/2 (RFC 9113 section 8.6).
    if (status < 100 || status > 199 || status === 101) {
      throw new EngineMisuseError(
        stream.id,
        'an interim status of 100 or 102 to 199',
        `status ${status} came`,
      );
    }
    // A peer that does not read gets the response without its hints. 100 is none: the peer may wait for it.
    const { hasSectionRoom } = this;
    if (status !== CONTINUE && !hasSectionRoom) return;
    this.writeHead(stream.id, status, fields, false, stream.padToMultipleOf);
    if (hasSectionRoom) this.#noteSection();
    stream.state = transition(stream.state, StreamInput.SendHeaders).next;
  }

  respond(stream: Http2Stream, status: number, fields: readonly string[], endStream: boolean): void {
    if (stream.state >= StreamState.ClosedByEnd) return;
    if (stream.response !== ResponsePhase.Awaited) {
      throw new EngineMisuseError(stream.id, 'one response head', 'a second one came');
    }
    if (status < 200 || status > 599) {
      throw new EngineMisuseError(stream.id, 'a final status of 200 to 599', `status ${status} came`);
    }
    stream.status = status;
    if (endStream) {
      stream.response = ResponsePhase.Ending;
    } else {
      // RFC 9110 section 6.4.1. The lifecycle is the owner's as for any response; only the content does not
      // leave.
      const bodiless = status === 204 || status === 304 || stream.method === 'HEAD';
      stream.response = bodiless ? ResponsePhase.Bodiless : ResponsePhase.Started;
    }
    if (this.hasSectionRoom) {
      this.#sendHead(stream, fields, endStream);
    } else {
      stream.head = fields;
      this.#scheduler.hold(stream);
    }
  }

  #sendHead(stream: Http2Stream, fields: readonly string[], endStream: boolean): void {
    this.writeHead(stream.id, stream.status, fields, endStream, stream.padToMultipleOf);
    this.#noteSection();
    if (endStream) {
      this.#end(stream, StreamInput.SendHeadersEnd);
      this.#settle(stream);
    } else {
      stream.state = transition(stream.state, StreamInput.SendHeaders).next;
    }
  }

  /** A section has been placed, which began with room. */
  #noteSection(): void {
    const beyond = this.#writer.unsentBytes - this.#sectionLimitBytes;
    this.#beyondBytes = Math.max(0, beyond);
  }

  /** The section that has waited longest. */
  #sendSection(stream: Http2Stream): void {
    this.#scheduler.remove(stream);
    const { head } = stream;
    if (head === null) {
      this.#writeTrailers(stream);
      this.#settle(stream);
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
    // Others who wait go first; a bare end needs neither window nor room, and there would be nothing to
    // queue.
    if (stream.queuedBytes === 0 && stream.head === null && (total === 0 || this.#scheduler.first === null)) {
      placed = this.#place(stream, bytes, start, end, endStream);
    }
    if (placed < total) {
      stream.queue ??= new SendQueue(this.#buffers);
      stream.queue.push(bytes, start + placed, end);
      this.#line(stream);
    }
    // The owner hears of it when the stream is in order again: it may write from within the event.
    if (placed > 0) this.#events.onSent(stream, placed);
    if (stream.response === ResponsePhase.Ended) this.#settle(stream);
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
    if (this.#endWithTrailers(stream)) this.#settle(stream);
  }

  /** The owner wants no more of the request; with its response complete there is nothing left to wait for. */
  dropRequest(stream: Http2Stream): void {
    stream.requestDropped = true;
    if (stream.response === ResponsePhase.Ended) this.#settle(stream);
  }

  /** Sections that wait, then turns of the scheduler, while there is room. */
  run(): void {
    while (this.#canSendSection) this.#sendSection(this.#scheduler.firstSection as Http2Stream);
    while (this.#canSendContent) {
      const stream = this.#scheduler.first as Http2Stream;
      const queue = stream.queue as SendQueue;
      const room = this.#frameRoom(stream);
      const count = Math.min(contentRoom(stream, room), queue.bytes);
      if (count <= 0) {
        this.#scheduler.stall(stream);
        continue;
      }
      this.#scheduler.take(stream);
      const drained = count === queue.bytes;
      const end = drained && stream.response === ResponsePhase.Ending && stream.trailers === null;
      const padding = paddingOf(stream, count, room);
      const chunk = this.#writer.reserve(frameHeadBytes + count + padding);
      const offset = this.#writer.beginData(chunk, stream.id, count, padding, end);
      queue.moveTo(chunk.buffer, offset, count);
      this.#took(stream, count + padding, drained);
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
      if (stream.response === ResponsePhase.Ended) this.#settle(stream);
    }
  }

  /** WINDOW_UPDATE on the connection. @returns false: beyond 2^31-1 (RFC 9113 section 6.9.1). */
  grantConnection(increment: number): boolean {
    return this.#window.grant(increment);
  }

  /** WINDOW_UPDATE on a stream. @returns false: beyond 2^31-1. */
  grantStream(stream: Http2Stream, increment: number): boolean {
    if (!stream.sendWindow.grant(increment)) return false;
    if (stream.queuedBytes > 0) this.#line(stream);
    return true;
  }

  /**
   * The peer's initial window has changed: every stream's moves by the difference (6.9.2).
   * @returns false: beyond 2^31-1.
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

  /** PUSH_PROMISE (6.6) of the request that the stream has. */
  promise(parentId: number, stream: Http2Stream): void {
    const fields = [
      ':method',
      stream.method,
      ':scheme',
      stream.scheme,
      ':authority',
      stream.authority,
      ':path',
      stream.path,
      ...stream.fields,
    ];
    const chunk = this.#reserveBlock(fields, 4);
    const start = chunk.length + frameHeadBytes;
    const end = this.#encoder.encodeFields(fields, chunk.buffer, start + 4);
    this.#writer.pushPromise(chunk, parentId, stream.id, end - start - 4);
    this.#noteSection();
  }

  /** A field section: a head with `status`, or trailers when it is 0. @param padTo a multiple to pad the payload to */
  writeHead(
    streamId: number,
    status: number,
    fields: readonly string[],
    endStream: boolean,
    padTo = 0,
  ): void {
    const chunk = this.#reserveBlock(fields, padTo === 0 ? 0 : padTo + 1);
    const start = chunk.length + frameHeadBytes + (padTo === 0 ? 0 : 1);
    const end =
      status > 0
        ? this.#encoder.encodeResponse(status, fields, chunk.buffer, start)
        : this.#encoder.encodeFields(fields, chunk.buffer, start);
    if (padTo === 0) this.#writer.headers(chunk, streamId, endStream, end - start);
    else this.#writer.paddedHeaders(chunk, streamId, endStream, end - start, padTo);
  }

  /** Room for a field block with so many bytes in front of it, and the frame heads that it may need. */
  #reserveBlock(fields: readonly string[], prefixBytes: number): OutputChunk {
    const bound = prefixBytes + this.#encoder.maxEncodedBytes(fields);
    // Those of CONTINUATIONs too, which hardly any block needs.
    const heads = frameHeadBytes * (1 + Math.floor(bound / initialMaxFrameBytes));
    return this.#writer.reserve(heads + bound);
  }

  /** Puts as many frames of the content as may leave now into the output. @returns bytes placed. */
  #place(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): number {
    let at = start;
    if (at === end) {
      this.#writer.data(stream.id, bytes, at, at, true);
      this.#end(stream, StreamInput.SendDataEnd);
      return 0;
    }
    while (at < end && !this.isFull) {
      const room = this.#frameRoom(stream);
      const count = Math.min(contentRoom(stream, room), end - at);
      if (count <= 0) break;
      const last = endStream && count === end - at;
      const padding = paddingOf(stream, count, room);
      this.#writer.data(stream.id, bytes, at, at + count, last, padding);
      at += count;
      this.#took(stream, count + padding, at === end);
      if (last) this.#end(stream, StreamInput.SendDataEnd);
    }
    return at - start;
  }

  /** The content that one frame of the stream can have now; 0 or less when a window is shut. */
  #frameRoom(stream: Http2Stream): number {
    return Math.min(stream.sendWindow.available, this.#window.available, quantumBytes, this.#writer.dataRoom);
  }

  /** A DATA frame has been written. @param isLast of what the stream had to send */
  #took(stream: Http2Stream, bytes: number, isLast: boolean): void {
    stream.sendWindow.consume(bytes);
    this.#window.consume(bytes);
    stream.sentBytes += bytes;
    if (stream.stalledSeconds > 0) this.#forgiveStall(stream, bytes);
    if (bytes >= leastWholeBytes) {
      this.#counters.dataFramesOut++;
      this.#counters.dataKibibytesOut += bytes >> 10;
      stream.isCut = false;
    } else if (!isLast) {
      stream.isCut = true;
    } else if (stream.isCut) {
      // What is left of a message after crumbs of it is one itself.
      stream.isCut = false;
    } else {
      this.#counters.dataFramesOut++;
      this.#counters.dataKibibytesOut++;
    }
  }

  #forgiveStall(stream: Http2Stream, bytes: number): void {
    const seconds = Math.min(stream.stalledSeconds, bytes / leastBytesPerSecond);
    stream.stalledSeconds -= seconds;
    this.#budgets.giveBack('stalledStreamSeconds', seconds);
  }

  /** A stream with queued bytes takes its place: in the line, or among those that wait for their window. */
  #line(stream: Http2Stream): void {
    // It does when its head has left.
    if (stream.head !== null) return;
    if (stream.sendWindow.available > 0) this.#scheduler.ready(stream);
    else this.#scheduler.stall(stream);
  }

  /** Content of a response that has none: gone at once, so that the owner's credit keeps moving. */
  #swallow(stream: Http2Stream, bytes: number, endStream: boolean): void {
    if (endStream && stream.head !== null) {
      stream.response = ResponsePhase.Ending;
    } else if (endStream) {
      this.#writer.data(stream.id, emptyBytes, 0, 0, true);
      this.#end(stream, StreamInput.SendDataEnd);
    }
    if (bytes > 0) this.#events.onSent(stream, bytes);
    if (stream.response === ResponsePhase.Ended) this.#settle(stream);
  }

  /** All content has left. @returns false: the trailers wait for room */
  #endWithTrailers(stream: Http2Stream): boolean {
    if (!this.hasSectionRoom) {
      this.#scheduler.hold(stream);
      return false;
    }
    this.#writeTrailers(stream);
    return true;
  }

  #writeTrailers(stream: Http2Stream): void {
    const fields = stream.trailers as readonly string[];
    stream.trailers = null;
    // A HEADERS frame that only ends the stream is what an empty DATA frame says with less.
    if (fields.length === 0) {
      this.#writer.data(stream.id, emptyBytes, 0, 0, true);
      this.#end(stream, StreamInput.SendDataEnd);
    } else {
      this.writeHead(stream.id, 0, fields, true, stream.padToMultipleOf);
      this.#noteSection();
      this.#end(stream, StreamInput.SendHeadersEnd);
    }
  }

  /** END_STREAM has been written. */
  #end(stream: Http2Stream, input: StreamInput): void {
    stream.response = ResponsePhase.Ended;
    stream.state = transition(stream.state, input).next;
  }

  /** What follows from the response's end, once the owner has heard of its last bytes. */
  #settle(stream: Http2Stream): void {
    if (stream.state === StreamState.ClosedByEnd) {
      this.#lifecycle.finish(stream, 'complete', ErrorCode.NoError);
    } else if (stream.requestDropped) {
      // The response is whole; the rest of the request is not needed (RFC 9113 section 8.1).
      this.#lifecycle.resetStream(stream, ErrorCode.NoError, 'complete');
    }
  }

  #mustBeStarted(stream: Http2Stream): void {
    if (stream.response === ResponsePhase.Started) return;
    const came = stream.response === ResponsePhase.Awaited ? 'no head has gone' : 'the response has ended';
    throw new EngineMisuseError(stream.id, 'content and trailers between head and end', came);
  }
}

/** The content that a frame with so much room can have, where its padding wants a byte for its own length. */
function contentRoom(stream: Http2Stream, room: number): number {
  return stream.padToMultipleOf === 0 || room < 2 ? room : room - 1;
}

/**
 * Bytes that padding adds to a DATA payload, its length byte included. It takes what room is left: padding never holds content back
 * for a window (RFC 9113 section 6.9.1 counts it like content).
 */
function paddingOf(stream: Http2Stream, count: number, room: number): number {
  const multiple = stream.padToMultipleOf;
  if (multiple === 0 || room <= count) return 0;
  const short = (multiple - ((count + 1) % multiple)) % multiple;
  return 1 + Math.min(short, room - count - 1);
}

const emptyBytes = new Uint8Array(0);
