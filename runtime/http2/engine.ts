/**
 * The HTTP/2 engine of one connection, server side (RFC 9113): bytes in, events and bytes out.
 *
 * It knows no socket, clock or thread. Chunks, time and the socket's progress are passed in. This class only
 * coordinates: the reader finds frames, the receiver acts on them, the sender and its scheduler fill the
 * output, and the lifecycle ends streams and the connection.
 *
 * The owner's loop: `receive` the bytes that arrived → act on the events → while `takeOutput` returns a
 * chunk, write it → `sent` and `buffers.release` when the socket has taken it → `takeOutput` again. Call
 * `endTurn` before the output of a turn is taken, and `tick` about once a second.
 */

import type { OutputBuffers, OutputChunk } from '../bytes/output-buffers.ts';
import { AbuseBudgets } from './budgets.ts';
import { EngineCounters } from './counters.ts';
import { type ConnectionError, EngineMisuseError, ErrorCode } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { frameHeadBytes, initialMaxFrameBytes } from './frames.ts';
import { HeldResets } from './held-resets.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import { LateAllowance } from './late-allowance.ts';
import { type EngineState, Lifecycle } from './lifecycle.ts';
import { type Http2Options, maxClosedStreamMemory } from './options.ts';
import { Priorities } from './priorities.ts';
import { Pusher } from './pusher.ts';
import { ReceiveFlow } from './receive-flow.ts';
import { Receiver } from './receiver.ts';
import { RoundTrip } from './round-trip.ts';
import { SendScheduler } from './scheduler.ts';
import { type OutputLimits, Sender } from './sender.ts';
import {
  initialLocalSettings,
  type LocalSettings,
  PeerSettings,
  SettingId,
  SettingsInFlight,
} from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamState } from './stream-state.ts';
import { Streams } from './streams.ts';

const NO_FIELDS: readonly string[] = [];
const pingBytes = Buffer.from('sluice\0\0', 'latin1');

export class Http2Engine {
  readonly #options: Http2Options;
  readonly #unsentLimitBytes: number;
  readonly #writer: FrameWriter;
  readonly #streams: Streams;
  readonly #flow: ReceiveFlow;
  readonly #lifecycle: Lifecycle;
  readonly #sender: Sender;
  readonly #pusher: Pusher;
  readonly #priorities: Priorities;
  readonly #receiver: Receiver;
  readonly #reader: FrameReader;
  readonly #settings = new SettingsInFlight();
  /** When stalled streams were last charged. */
  #stallsCountedAtMs: number;
  readonly counters = new EngineCounters();

  /**
   * @param options from `http2Options`, shared by all connections of a listener
   * @param buffers shared by all connections of a reactor
   * @param nowMs the time of a monotonic clock, as in all other methods
   */
  constructor(events: EngineEvents, options: Http2Options, buffers: OutputBuffers, nowMs: number) {
    this.#options = options;
    this.#stallsCountedAtMs = nowMs;
    const counters = this.counters;
    const budgets = new AbuseBudgets(options.budgets, counters, options.maxConcurrentStreams);
    const scheduler = new SendScheduler();
    // The server's SETTINGS bind the peer's encoder only once acknowledged. Until then the table has its
    // initial size.
    const decoder = new HpackDecoder({
      maxTableBytes: initialLocalSettings.headerTableBytes,
      maxFieldListBytes: options.maxFieldListBytes,
      maxFieldLines: options.maxFieldLines,
    });
    const encoder = new HpackEncoder({ maxTableBytes: options.encoderTableBytes });
    const writer = new FrameWriter(buffers, counters);
    const streams = new Streams(closedStreamMemory(options));
    const roundTrip = new RoundTrip(writer);
    const flow = new ReceiveFlow(writer, roundTrip, options);
    const allowance = new LateAllowance(flow);
    const held = new HeldResets(writer, options.resetDelayMs, options.maxConcurrentStreams);
    const lifecycle = new Lifecycle(
      events,
      writer,
      streams,
      scheduler,
      flow,
      budgets,
      counters,
      allowance,
      held,
      nowMs,
    );
    const limits = outputLimits(options);
    this.#unsentLimitBytes = Math.max(options.maxUnsentBytes, limits.sectionLimitBytes);
    const sender = new Sender(
      events,
      writer,
      encoder,
      lifecycle,
      scheduler,
      budgets,
      counters,
      buffers,
      limits,
    );
    const settings = this.#settings;
    const peer = new PeerSettings();
    const pusher = new Pusher(options, streams, lifecycle, sender, peer);
    this.#pusher = pusher;
    this.#priorities = new Priorities(scheduler, options.maxConcurrentStreams);
    this.#receiver = new Receiver({
      events,
      options,
      counters,
      writer,
      streams,
      flow,
      roundTrip,
      lifecycle,
      allowance,
      sender,
      settings,
      peer,
      pusher,
      priorities: this.#priorities,
      decoder,
      encoder,
    });
    this.#reader = new FrameReader(this.#receiver);
    lifecycle.attach(this.#reader);
    this.#writer = writer;
    this.#streams = streams;
    this.#flow = flow;
    this.#lifecycle = lifecycle;
    this.#sender = sender;
    this.#announce(
      {
        headerTableBytes: options.headerTableBytes,
        maxConcurrentStreams: options.maxConcurrentStreams,
        streamWindowBytes: options.streamWindowBytes,
        maxFrameBytes: options.maxFrameBytes,
        maxFieldListBytes: options.maxFieldListBytes,
      },
      // RFC 9218 section 2.1: the engine acts on PRIORITY_UPDATE and ignores PRIORITY.
      options.enableConnectProtocol
        ? [SettingId.NoRfc7540Priorities, 1, SettingId.EnableConnectProtocol, 1]
        : [SettingId.NoRfc7540Priorities, 1],
    );
    flow.open();
  }

  get state(): EngineState {
    return this.#lifecycle.state;
  }

  /** Why the connection ended with an error, of either side; null if it has not. */
  get failure(): ConnectionError | null {
    return this.#lifecycle.failure;
  }

  get streamCount(): number {
    return this.#streams.count;
  }

  /** The number of `ping` calls that the peer has not answered. */
  get unansweredPings(): number {
    return this.#receiver.unansweredPings;
  }

  /** A field block, or a frame other than DATA, has begun and is incomplete. */
  get isWithinHead(): boolean {
    return this.#reader.isGathering || this.#receiver.isWithinFieldBlock;
  }

  /** Request bytes that the peer may send now, on all streams together. */
  get receivableBytes(): number {
    return this.#flow.availableBytes;
  }

  /** Response bytes that the peer accepts now, on all streams together. */
  get sendableBytes(): number {
    return this.#sender.windowBytes;
  }

  /** Output that the socket has not taken. */
  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  /**
   * Makes the HTTP/1.1 request that asked for HTTP/2 (RFC 7540 section 3.2) stream 1, and calls `onRequest`.
   * To be called once, before `receive`.
   * @param settings the decoded value of HTTP2-Settings, with valid values
   * @param fields valid, with lower-case names
   */
  upgrade(
    settings: Uint8Array,
    method: string,
    scheme: string,
    authority: string,
    path: string,
    fields: string[],
  ): void {
    this.#receiver.takeSettings(settings, 0, settings.length);
    const stream = new Http2Stream(1, this.#sender.streamWindowBytes, this.#sender);
    stream.method = method;
    stream.scheme = scheme;
    stream.authority = authority;
    stream.path = path;
    stream.fields = fields;
    const at = fields.indexOf('priority');
    if (at >= 0 && (at & 1) === 0) this.#priorities.opened(stream, fields[at + 1]);
    this.#receiver.onUpgrade(stream);
  }

  /** Takes bytes from the socket, including the client's preface. Never throws, whatever they are. */
  receive(chunk: Uint8Array, nowMs: number): void {
    this.#lifecycle.nowMs = nowMs;
    this.#judgeUnsent();
    this.#reader.read(chunk);
  }

  /**
   * A turn of the owner has produced all its output. Must be called before the output is taken. It limits
   * output that is not held back, such as resets: that must not pile up for a peer that does not read, even
   * if the peer sends nothing.
   */
  endTurn(nowMs: number): void {
    this.#lifecycle.nowMs = nowMs;
    // The output of one turn may be large if the socket takes all of it.
    if (this.#writer.isBehind) this.#judgeUnsent();
  }

  /**
   * Responses wait for the socket, so output beyond the limit is what the peer makes the server send and does
   * not read. Only the last field section that there was room for may have any length.
   */
  #judgeUnsent(): void {
    if (this.#writer.unsentBytes > this.#unsentLimitBytes + this.#sender.beyondBytes) {
      this.#lifecycle.calm('unsentOutput', 'unread output over the limit');
    }
  }

  /**
   * Tells the engine that time has passed. Call it about once a second; the SETTINGS timeout and stalled
   * streams depend on it.
   */
  tick(nowMs: number): void {
    this.#lifecycle.nowMs = nowMs;
    const waitingSinceMs = this.#settings.waitingSinceMs;
    if (waitingSinceMs >= 0 && nowMs - waitingSinceMs > this.#options.settingsTimeoutMs) {
      this.#lifecycle.fail(ErrorCode.SettingsTimeout, 'SETTINGS not acknowledged');
    }
    const elapsedMs = Math.max(0, nowMs - this.#stallsCountedAtMs);
    this.#stallsCountedAtMs = nowMs;
    this.#sender.chargeStalls(this.#streams, elapsedMs / 1000);
    this.#lifecycle.tick();
  }

  // ---- the response: calls on a stream that has closed do nothing ----

  /**
   * Sends an interim response. Here and below, the owner guarantees that field names are valid and in lower
   * case.
   * @throws EngineMisuseError after the head, or for a status that is not 100 or 102 to 199
   */
  inform(stream: Http2Stream, status: number, fields: readonly string[]): void {
    this.#sender.inform(stream, status, fields);
  }

  /**
   * Gives the head of the response.
   * @throws EngineMisuseError for a second head or a status outside 200 to 599
   */
  respond(
    stream: Http2Stream,
    status: number,
    fields: readonly string[],
    endStream: boolean,
    added: readonly string[] = NO_FIELDS,
  ): void {
    this.#sender.respond(stream, status, fields, endStream, added);
  }

  /**
   * Writes content bytes[start,end). It goes into the output as far as windows and room allow. The rest is
   * copied to the stream's queue, which the owner bounds by the credit that it grants. For HEAD, 204 and 304
   * no content leaves. `onSent` and `onClose` may be called from within.
   * @throws EngineMisuseError before the head or after the end
   */
  write(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    this.#sender.write(stream, bytes, start, end, endStream);
  }

  /**
   * Ends the response with trailer fields, after the queued content.
   * @throws EngineMisuseError as `write`
   */
  trailers(stream: Http2Stream, fields: readonly string[]): void {
    this.#sender.trailers(stream, fields);
  }

  /**
   * Pads the stream's field and content frames from now on, to a multiple of this many payload bytes (RFC
   * 9113 sections 6.1 and 10.7), as far as windows and frame size allow.
   * @param toMultipleOf at most 256; 0: no padding
   */
  pad(stream: Http2Stream, toMultipleOf: number): void {
    stream.padToMultipleOf = toMultipleOf;
  }

  /**
   * Applies the response's own priority (RFC 9218 section 5). Parameters that it leaves out stay as the peer
   * set them.
   */
  prioritise(stream: Http2Stream, value: string): void {
    this.#priorities.respond(stream, value);
  }

  /** Sends RST_STREAM and drops what is queued. */
  reset(stream: Http2Stream, code: number): void {
    this.#lifecycle.resetStream(stream, code, 'owner');
  }

  /**
   * Charges the peer for a request that the owner had to give up because of what the peer sent
   * (CVE-2025-8671). May end the connection.
   */
  provoked(): void {
    this.#lifecycle.provoked();
  }

  // ---- promises ----

  /** Whether the peer accepts promises now, as far as the connection is concerned. */
  get canPush(): boolean {
    return this.#pusher.isOpen;
  }

  /**
   * Promises the response to another request of the same origin (RFC 9113 section 8.4). Must be called before
   * anything in the parent's response refers to that request. The stream is answered like one that
   * `onRequest` announced.
   * @param method GET or HEAD
   * @param fields of the request, without pseudo-fields
   * @returns null if the peer accepts no promise, none on this stream, or no more at once
   * @throws EngineMisuseError for another method
   */
  push(parent: Http2Stream, method: string, path: string, fields: readonly string[]): Http2Stream | null {
    return this.#pusher.push(parent, method, path, fields);
  }

  // ---- the request ----

  /**
   * The owner has consumed this many bytes of `onData`, so the peer may send as many again. How fast this
   * happens decides whether the stream's window grows. Does nothing for a closed stream, because the engine
   * has already returned its bytes to the connection's window.
   * @throws EngineMisuseError for more bytes than the owner was given
   */
  consume(stream: Http2Stream, bytes: number, nowMs: number): void {
    if (stream.state >= StreamState.ClosedByEnd || stream.requestDropped) return;
    if (bytes > stream.unconsumedBytes) {
      throw new EngineMisuseError(
        stream.id,
        `at most ${stream.unconsumedBytes} bytes consumed`,
        `${bytes} were reported`,
      );
    }
    this.#lifecycle.nowMs = nowMs;
    if (bytes > 0) this.#flow.consume(stream, bytes, nowMs);
  }

  /**
   * The owner reads no more of the request: no `onData` or `onTrailers` follows. What arrives is returned to
   * the connection's window but not to the stream's. If the response has ended first, the stream closes as
   * `complete` and is reset with NO_ERROR; after an error response, only when the peer has read it (RFC 9113
   * section 8.1).
   */
  dropRequest(stream: Http2Stream): void {
    if (stream.state >= StreamState.ClosedByEnd || stream.requestDropped) return;
    this.#flow.discard(stream, stream.unconsumedBytes);
    this.#sender.dropRequest(stream);
  }

  // ---- the connection ----

  /**
   * Sends GOAWAY: `draining`, then `closing` when the last stream has ended. A graceful end takes two steps
   * (RFC 9113 section 6.8): first with `lastStreamIdAll`, which promises to serve whatever is on its way,
   * then, a round trip later, without.
   */
  goaway(code: number, lastStreamIdAll: boolean): void {
    this.#lifecycle.goaway(code, lastStreamIdAll);
  }

  ping(): void {
    if (this.#isOver) return;
    this.#receiver.unansweredPings++;
    this.#writer.ping(false, pingBytes, 0);
  }

  /** Announces new values of the server's settings. They come into force when the peer acknowledges them. */
  changeSettings(changes: Partial<LocalSettings>, nowMs: number): void {
    this.#lifecycle.nowMs = nowMs;
    if (!this.#isOver) this.#announce({ ...this.#settings.sent, ...changes }, []);
  }

  /**
   * Receives nothing more: every remaining stream closes, by `engine`; output that exists can still be taken.
   */
  end(): void {
    this.#lifecycle.end();
  }

  /** The socket is gone: every remaining stream closes, by `engine`. Idempotent. */
  closed(): void {
    this.#lifecycle.closed();
  }

  // ---- output ----

  /** Whether `takeOutput` would return something now. */
  get hasOutput(): boolean {
    return this.#writer.hasOutput(this.#isOver) || this.#sender.canRun;
  }

  /**
   * Runs the send scheduler up to the output limit and returns the next chunk to write, chunk.buffer[0,
   * chunk.length), or null. While the socket has an earlier chunk, only full ones are returned: ask again
   * after `sent`. When the engine is `closing`, all are returned.
   * @param onlyFull return only a chunk that has no room for more output
   */
  takeOutput(onlyFull = false): OutputChunk | null {
    this.#sender.run();
    return this.#writer.take(onlyFull, this.#isOver);
  }

  /** Whether `takeOutput(true)` would return something without running the scheduler first. */
  get hasFullOutput(): boolean {
    return this.#writer.hasFullOutput;
  }

  /**
   * Content that is written now would be queued, at the cost of one more copy, until the socket has taken
   * output.
   */
  get isFull(): boolean {
    return this.#sender.isFull;
  }

  /** The socket has taken this many bytes. */
  sent(bytes: number): void {
    this.#writer.sent(bytes);
  }

  get #isOver(): boolean {
    return this.#lifecycle.state === 'closing' || this.#lifecycle.state === 'closed';
  }

  #announce(settings: LocalSettings, more: readonly number[]): void {
    this.#writer.settings([...this.#settings.announce(settings, this.#lifecycle.nowMs), ...more]);
  }
}

/** What can be reset at once is every open stream, and as many again that the peer opens before it knows. */
function closedStreamMemory({ closedStreamMemory: least, maxConcurrentStreams }: Http2Options): number {
  return Math.max(least, Math.min(2 * maxConcurrentStreams, maxClosedStreamMemory));
}

/**
 * Content waits well below `maxUnsentBytes`. Heads and trailers may go higher, so that a download that fills
 * the output does not hold back other responses. They leave the upper half of the remaining room for output
 * that is not held back.
 */
function outputLimits({ outputLimitBytes, maxUnsentBytes }: Http2Options): OutputLimits {
  const batchLimitBytes = Math.max(
    outputLimitBytes,
    Math.min(1.25 * outputLimitBytes, Math.floor(maxUnsentBytes * 0.75)),
  );
  const sectionLimitBytes = Math.max(
    // Content may exceed its limit by one frame.
    batchLimitBytes + frameHeadBytes + initialMaxFrameBytes,
    Math.floor((outputLimitBytes + maxUnsentBytes) / 2),
  );
  return { outputLimitBytes, batchLimitBytes, sectionLimitBytes };
}
