/**
 * The HTTP/1.1 engine of one connection, server side (RFC 9112): bytes in, events and bytes out.
 *
 * It knows no socket, clock or thread. Chunks and the socket's progress are passed in, and the engine asks
 * its owner for the date. This class only coordinates: the reader finds requests, the receiver accepts them,
 * the sender fills the output in the order of the requests, and the lifecycle ends them.
 *
 * The owner's loop: `receive` the bytes that arrived → act on the events → `endTurn` → while `takeOutput`
 * returns a chunk, write it → `sent` and `buffers.release` when the socket has taken it → `takeOutput` again.
 * The owner reads the socket unless `isPaused`.
 */
import type { OutputBuffers, OutputChunk } from '../bytes/output-buffers.ts';
import type { Http1Caches } from './caches.ts';
import { CloseCode, EngineMisuseError } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { type EngineState, Lifecycle } from './lifecycle.ts';
import { type Http1Message, RequestPhase, ResponsePhase, TunnelPhase } from './message.ts';
import type { Http1Options } from './options.ts';
import { Receiver } from './receiver.ts';
import type { Refusal } from './refusal.ts';
import { RequestReader } from './request-reader.ts';
import { ResponseWriter } from './response-writer.ts';
import { Sender } from './sender.ts';

/**
 * A socket that is told to pause has already delivered one read (64 KiB) too much, and its stream reads once
 * more. The window that users configure includes both.
 */
const READ_AHEAD_BYTES = 131_072;
const NO_FIELDS: readonly string[] = [];

const { Cancel: CANCEL } = CloseCode;

export class Http1Engine {
  readonly #options: Http1Options;
  readonly #writer: ResponseWriter;
  readonly #lifecycle: Lifecycle;
  readonly #receiver: Receiver;
  readonly #reader: RequestReader;
  readonly #sender: Sender;
  /**
   * Reading pauses when the owner has this much content that it has not consumed. The limit grows while the
   * owner keeps up.
   */
  #pauseAtBytes: number;
  readonly #leastPauseAtBytes: number;
  /** The message that the limit has grown for, and the bytes of it that were consumed since it last grew. */
  #growingFor: Http1Message | null = null;
  #consumedBytes = 0;
  /** Bytes that arrived after the last request. */
  #surplusBytes = 0;

  /**
   * @param options shared by all connections of a server
   * @param buffers shared by all connections of a reactor, as are `caches`
   */
  constructor(events: EngineEvents, options: Http1Options, buffers: OutputBuffers, caches: Http1Caches) {
    this.#options = options;
    const writer = new ResponseWriter(buffers, caches.heads, options.keepAliveTimeoutMs);
    const lifecycle = new Lifecycle(events, options, writer);
    this.#receiver = new Receiver(events, options, lifecycle);
    this.#reader = new RequestReader(this.#receiver, options, caches.sections, caches.pieces);
    this.#sender = new Sender(events, options, lifecycle, writer, buffers);
    lifecycle.attach(this.#reader, this.#sender);
    this.#writer = writer;
    this.#lifecycle = lifecycle;
    // More than a quarter: an owner may have consumed that much without reporting it (`creditEveryBytes`).
    this.#leastPauseAtBytes = (options.requestWindowBytes >> 2) + 1;
    this.#pauseAtBytes = this.#leastPauseAtBytes;
  }

  get state(): EngineState {
    return this.#lifecycle.state;
  }

  /**
   * For the state `aborted`: the peer would take a FIN for the end of the response, so the connection must be
   * reset.
   */
  get mustReset(): boolean {
    return this.#lifecycle.mustReset;
  }

  /** Requests that are not over. */
  get messageCount(): number {
    return this.#lifecycle.messages.length;
  }

  /** Requests that are not over and came before this one. Their responses leave first. */
  messagesBefore(message: Http1Message): number {
    return Math.max(0, this.#lifecycle.messages.indexOf(message));
  }

  /** Requests that have been accepted. */
  get requestCount(): number {
    return this.#receiver.requestCount;
  }

  /** The start of a head has arrived, but not all of it. */
  get isWithinHead(): boolean {
    return this.#reader.isWithinHead;
  }

  /**
   * The response is complete, and the rest of its request is only read so that the connection can be used
   * again.
   */
  get isDiscarding(): boolean {
    const message = this.#lifecycle.receiving;
    return (
      message !== null && message.request === RequestPhase.Dropped && message.response === ResponsePhase.Ended
    );
  }

  get hasOpenTunnel(): boolean {
    return this.#lifecycle.tunnel?.tunnel === TunnelPhase.Open;
  }

  /** A request for a tunnel has been neither accepted nor answered. */
  get #awaitsTunnel(): boolean {
    const { tunnel } = this.#lifecycle;
    return tunnel?.tunnel === TunnelPhase.Asked && tunnel.response === ResponsePhase.Awaited;
  }

  /** The server's half of the tunnel has ended: a FIN must follow the output. */
  get hasTunnelEnded(): boolean {
    return this.#lifecycle.tunnel?.response === ResponsePhase.Ended;
  }

  /**
   * The owner has ended the connection behind the last response, which is in the output, while it still reads
   * the request: a FIN must follow the output. A client may wait for it before it sends anything more.
   */
  get hasSaidAll(): boolean {
    const { isEndAsked, messages, tunnel, state } = this.#lifecycle;
    if (!isEndAsked || state !== 'open' || tunnel !== null || messages.length !== 1) return false;
    return (messages[0] as Http1Message).response === ResponsePhase.Ended;
  }

  /**
   * Nothing more should be read for now. Either the owner has not consumed what was read, or the next bytes
   * are not wanted, or the peer does not read the responses that it asked for.
   */
  get isPaused(): boolean {
    const { unconsumedBytes, receiving } = this.#lifecycle;
    if (unconsumedBytes >= this.#pauseAtBytes || this.isFull) return true;
    const { maxDiscardedBytes } = this.#options;
    if (receiving === null) return this.#surplusBytes > maxDiscardedBytes;
    if (receiving.request !== RequestPhase.Dropped || receiving.discardedBytes <= maxDiscardedBytes)
      return false;
    // The rest of the request stays in the socket until the response has left.
    return receiving.response !== ResponsePhase.Ended;
  }

  /** Output that the socket has not taken. */
  get unsentBytes(): number {
    return this.#writer.output.unsentBytes;
  }

  // ---- bytes

  /**
   * Takes bytes from the socket. Never throws, whatever they are.
   * @returns the offset after the last byte that was read; less than the length only if the engine is `left`
   */
  receive(chunk: Uint8Array): number {
    const end = chunk.length;
    const lifecycle = this.#lifecycle;
    let at = 0;
    if (lifecycle.tunnel === null && lifecycle.state === 'open') {
      at = this.#reader.read(chunk);
      if (this.state === 'left') return at;
    }
    if (lifecycle.tunnel !== null) this.#receiver.onTunnelled(lifecycle.tunnel, chunk, at);
    else if (at < end) this.#surplusBytes += end - at;
    return end;
  }

  /**
   * The peer has sent its FIN, and nothing but complete requests, whose responses have not begun, is open. Their
   * client may have gone away, or have half-closed the connection and wait for them. So they stay open, and the
   * owner calls `end` when it waits no longer. The same holds for a request for a tunnel: if it is accepted, the
   * peer's half of the tunnel has ended.
   * @returns false: something else is open, or nothing, and `end` must be called now
   */
  halfClose(): boolean {
    const { state, tunnel, messages } = this.#lifecycle;
    if (state !== 'open' || messages.length === 0) return false;
    if (this.#awaitsTunnel) {
      this.#receiver.onTunnelEnd(tunnel as Http1Message);
      return true;
    }
    if (tunnel !== null) return false;
    if (this.#reader.isWithinMessage || this.hasBegunResponse) return false;
    this.drain();
    return true;
  }

  /** A part of the first response has been sent, and a part has not. */
  get hasBegunResponse(): boolean {
    return this.#lifecycle.first?.response === ResponsePhase.Started;
  }

  /**
   * The peer has sent its FIN. In a tunnel that ends the peer's half. Elsewhere a client that has gone away
   * looks just like one that would still read. So open requests are over, those for a tunnel that is not open
   * among them; complete responses still leave.
   */
  end(): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state !== 'open') return;
    if (this.hasOpenTunnel) {
      this.#receiver.onTunnelEnd(lifecycle.tunnel as Http1Message);
      return;
    }
    const { first, receiving } = lifecycle;
    if (first !== undefined && first.response === ResponsePhase.Started) {
      lifecycle.abort(first, 'engine', CANCEL);
      return;
    }
    // RFC 9112 section 8: a message that ends with the connection is malformed. The peer gets a 400 unless
    // the response has already begun.
    const isMalformed =
      this.#reader.isWithinMessage && (receiving === null || receiving.response === ResponsePhase.Awaited);
    lifecycle.cutAll();
    if (isMalformed) lifecycle.refuse({ status: 400, why: 'the connection ended within the message' });
    lifecycle.takeNoMore();
    lifecycle.startOrEnd();
  }

  /** The socket is gone: everything open closes, by `engine`. Idempotent. */
  closed(): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state === 'closed') return;
    lifecycle.state = 'closed';
    lifecycle.stopReading();
    lifecycle.cutAll();
    this.#writer.output.discard();
  }

  // ---- the response: calls on a message that has closed do nothing ----

  /**
   * Sends an interim response. Here and below, the owner guarantees that field names are valid and in lower
   * case. The response is left out for clients that cannot take it or do not read. 100 (Continue) is sent at
   * most once.
   */
  inform(message: Http1Message, status: number, fields: readonly string[]): void {
    this.#sender.inform(message, status, fields);
  }

  /**
   * Gives the head of the response. It leaves with the first content, or when the turn ends.
   * @throws EngineMisuseError for a second head
   */
  respond(
    message: Http1Message,
    status: number,
    fields: readonly string[],
    end: boolean,
    added: readonly string[] = NO_FIELDS,
  ): void {
    this.#sender.respond(message, status, fields, end, added);
  }

  /**
   * Opens the tunnel that the request asks for.
   * @param protocol empty for CONNECT
   * @throws EngineMisuseError for requests that ask for no tunnel
   */
  accept(message: Http1Message, protocol: string, fields: readonly string[]): void {
    this.#sender.accept(message, protocol, fields);
  }

  /**
   * Writes content bytes[start,end). It goes into the output if it is the message's turn and there is room.
   * Otherwise it is copied to the message's queue, which the owner bounds by the credit that it grants. For
   * HEAD, 204 and 304 no content leaves. `onSent` and `onClose` may be called from within.
   * @throws EngineMisuseError before the head or after the end
   */
  write(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#sender.write(message, bytes, start, end, last);
  }

  /**
   * Ends the response with trailer fields, which only chunked content can have.
   * @throws EngineMisuseError as `write`
   */
  trailers(message: Http1Message, fields: readonly string[]): void {
    this.#sender.trailers(message, fields);
  }

  /**
   * Says that the response will not be completed. HTTP/1.1 can express that only by breaking the connection
   * (RFC 9112 section 8). Earlier responses leave first.
   */
  reset(message: Http1Message, code: number): void {
    if (message.isClosed) return;
    const lifecycle = this.#lifecycle;
    if (message.response === ResponsePhase.Ended) lifecycle.giveUp(message, 'owner', code);
    else lifecycle.breakOff(message, 'owner', code);
  }

  // ---- the request ----

  /**
   * The owner has consumed this many bytes of `onData`.
   * @throws EngineMisuseError for more than it was given
   */
  consume(message: Http1Message, bytes: number): void {
    if (message.isClosed || message.request === RequestPhase.Dropped) return;
    if (bytes > message.unconsumedBytes)
      throw new EngineMisuseError(
        `at most ${message.unconsumedBytes} bytes consumed`,
        `${bytes} were reported`,
      );
    message.unconsumedBytes -= bytes;
    this.#lifecycle.unconsumedBytes -= bytes;
    this.#growWindow(message, bytes);
  }

  /**
   * Doubles the window of an owner that has consumed two windows without leaving a backlog. Such an owner
   * waits for the socket, and the socket waits for credit, so its rate is limited by the latency of credit.
   * An owner that stalls from the start never reaches this point.
   */
  #growWindow(message: Http1Message, bytes: number): void {
    if (this.#growingFor !== message) {
      this.#growingFor = message;
      this.#pauseAtBytes = this.#leastPauseAtBytes;
      this.#consumedBytes = 0;
    }
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < 2 * this.#pauseAtBytes) return;
    if (this.#lifecycle.unconsumedBytes >= this.#leastPauseAtBytes) return;
    const most = this.#options.maxRequestWindowBytes - READ_AHEAD_BYTES;
    this.#pauseAtBytes = Math.max(this.#leastPauseAtBytes, Math.min(2 * this.#pauseAtBytes, most));
    this.#consumedBytes = 0;
  }

  /**
   * The owner reads no more of the request: no `onData` or `onTrailers` follows. The connection can be used
   * again if the rest is short, or its response has already promised so, and if the rest arrives soon (RFC
   * 9112 section 9.3).
   */
  dropRequest(message: Http1Message): void {
    if (message.isClosed || message.request !== RequestPhase.Open) return;
    this.#lifecycle.drop(message);
    if (message.response === ResponsePhase.Ended) this.#lifecycle.answered(message);
  }

  /** The rest of a discarded request has not arrived in time: the connection ends. */
  stopDiscarding(): void {
    const message = this.#lifecycle.receiving;
    if (message !== null && this.isDiscarding) this.#lifecycle.giveUp(message, 'engine', CANCEL);
  }

  // ---- the connection ----

  /**
   * Ends the connection after this message's response, which has not been given yet, and after the responses
   * to requests that have begun beside it. No request that waits behind it begins.
   */
  endBehind(message: Http1Message): void {
    if (message.isClosed) return;
    this.#lifecycle.isEndAsked = true;
    this.#lifecycle.beginNoMore();
  }

  /**
   * The owner refuses what has begun to arrive, for example a head that takes too long. Open requests are
   * answered first.
   */
  refuse(refusal: Refusal): void {
    this.#lifecycle.refuse(refusal);
  }

  /** Tells the engine how much time has passed, about once a second. */
  advance(elapsedMs: number): void {
    this.#reader.advance(elapsedMs);
  }

  /**
   * Accepts no more requests; the connection ends when those that are open have been answered. Idempotent.
   */
  drain(): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state !== 'open' || lifecycle.tunnel !== null) return;
    lifecycle.takeNoMore();
    lifecycle.startOrEnd();
  }

  /** Everything that one turn produces is complete. Must be called before the output is taken. */
  endTurn(): void {
    this.#sender.endTurn();
  }

  // ---- output ----

  /** Whether `takeOutput` would return something now. */
  get hasOutput(): boolean {
    return this.#writer.output.hasOutput(this.#isOver) || this.#sender.canPump;
  }

  /**
   * Moves waiting responses into the output as far as there is room, and returns the next chunk to write,
   * chunk.buffer[0, chunk.length), or null. While the socket has an earlier chunk, only full ones are
   * returned: ask again after `sent`.
   * @param onlyFull return only a chunk that has no room for more output
   */
  takeOutput(onlyFull = false): OutputChunk | null {
    this.#sender.pump();
    return this.#writer.output.take(onlyFull, this.#isOver);
  }

  /** Whether `takeOutput(true)` would return something without moving anything first. */
  get hasFullOutput(): boolean {
    return this.#writer.output.hasFullOutput;
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
    this.#writer.output.sent(bytes);
  }

  get #isOver(): boolean {
    return this.#lifecycle.state !== 'open';
  }
}
