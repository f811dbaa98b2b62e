/**
 * The HTTP/1.1 engine of one connection, server side (RFC 9112): bytes in, events and bytes out.
 *
 * Knows no socket, clock or thread: chunks and the socket's progress are passed in, and the date is asked for. It coordinates:
 * the reader finds requests, the receiver takes them, the sender fills the output in the order of the requests, the lifecycle
 * ends things.
 *
 * The owner's loop: `receive` what came → act on the events → `endTurn` → while `takeOutput` gives a chunk, write it → `sent`
 * and `buffers.release` when the socket has taken it → `takeOutput` again. It reads the socket unless `isPaused`.
 */
import type { OutputBuffers, OutputChunk } from '../bytes/output-buffers.ts';
import type { Http1Caches } from './caches.ts';
import { CloseCode, EngineMisuseError } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { type EngineState, Lifecycle } from './lifecycle.ts';
import { type Http1Message, RequestPhase, ResponsePhase } from './message.ts';
import type { Http1Options } from './options.ts';
import { Receiver } from './receiver.ts';
import type { Refusal } from './refusal.ts';
import { RequestReader } from './request-reader.ts';
import { ResponseWriter } from './response-writer.ts';
import { Sender } from './sender.ts';

/**
 * A socket that is told to pause has brought one read (64 KiB) beyond what it was allowed, and its stream reads once more. The
 * window that is told includes both.
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
  /** Content that the owner has not consumed at which reading pauses. It grows while the owner keeps up. */
  #pauseAtBytes: number;
  readonly #leastPauseAtBytes: number;
  /** The message that it has grown for, and what has been consumed of it since it grew last. */
  #growingFor: Http1Message | null = null;
  #consumedBytes = 0;
  /** What has come behind the last request. */
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
    // Above a quarter: that much an owner may have consumed and not told (`creditEveryBytes`).
    this.#leastPauseAtBytes = (options.requestWindowBytes >> 2) + 1;
    this.#pauseAtBytes = this.#leastPauseAtBytes;
  }

  get state(): EngineState {
    return this.#lifecycle.state;
  }

  /** `aborted`: the peer would take a FIN for the end of the response, so that only a reset of the connection tells. */
  get mustReset(): boolean {
    return this.#lifecycle.mustReset;
  }

  /** Requests that are not over. */
  get messageCount(): number {
    return this.#lifecycle.messages.length;
  }

  /** Requests that are not over and were made before this one, so that they are answered before it. */
  messagesBefore(message: Http1Message): number {
    return Math.max(0, this.#lifecycle.messages.indexOf(message));
  }

  /** Requests that have been taken. */
  get requestCount(): number {
    return this.#receiver.requestCount;
  }

  /** A head has begun and is not whole. */
  get isWithinHead(): boolean {
    return this.#reader.isWithinHead;
  }

  /** A request has been answered, and the rest of it is only read so that the connection can go on. */
  get isDiscarding(): boolean {
    const message = this.#lifecycle.receiving;
    return (
      message !== null && message.request === RequestPhase.Dropped && message.response === ResponsePhase.Ended
    );
  }

  /** The connection carries a tunnel, or is asked to. */
  get isTunnel(): boolean {
    return this.#lifecycle.tunnel !== null;
  }

  /** Our half of the tunnel has ended: a FIN is due behind the output. */
  get hasTunnelEnded(): boolean {
    return this.#lifecycle.tunnel?.response === ResponsePhase.Ended;
  }

  /**
   * Nothing more is to be read for now: what has been is not consumed, nobody wants what is to come, or the peer does not read
   * what it has asked for.
   */
  get isPaused(): boolean {
    const { unconsumedBytes, receiving } = this.#lifecycle;
    if (unconsumedBytes >= this.#pauseAtBytes || this.isFull) return true;
    const { maxDiscardedBytes } = this.#options;
    if (receiving === null) return this.#surplusBytes > maxDiscardedBytes;
    if (receiving.request !== RequestPhase.Dropped || receiving.discardedBytes <= maxDiscardedBytes)
      return false;
    // Until the response has left, the rest stays where it is.
    return receiving.response !== ResponsePhase.Ended;
  }

  /** Output that the socket has not taken. */
  get unsentBytes(): number {
    return this.#writer.output.unsentBytes;
  }

  // ---- bytes

  /**
   * Bytes from the socket. Never throws, whatever they are.
   * @returns the offset behind what was read: less than all only when the engine is `left`
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
   * The peer has sent its FIN. In a tunnel that is the end of its half. Elsewhere a client that went away looks just like one
   * that would still read, so that what is open is over; what has been answered still leaves.
   */
  end(): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state !== 'open') return;
    if (lifecycle.tunnel !== null) {
      this.#receiver.onTunnelEnd(lifecycle.tunnel);
      return;
    }
    const { first, receiving } = lifecycle;
    if (first !== undefined && first.response === ResponsePhase.Started) {
      lifecycle.abort(first, 'engine', CANCEL);
      return;
    }
    // RFC 9112 section 8: a message that ends with the connection is malformed, and is told so unless it has been answered.
    const isMalformed =
      this.#reader.isWithinMessage && (receiving === null || receiving.response === ResponsePhase.Awaited);
    lifecycle.cutAll();
    if (isMalformed) lifecycle.refuse({ status: 400, why: 'the message ends with the connection' });
    lifecycle.takeNoMore();
    lifecycle.settle();
  }

  /** The socket is gone: what is open closes, by `engine`. Idempotent. */
  closed(): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state === 'closed') return;
    lifecycle.state = 'closed';
    lifecycle.stopReading();
    lifecycle.cutAll();
    this.#writer.output.discard();
  }

  // ---- the response: a message that has closed is past caring, so calls on it do nothing ----

  /**
   * An interim response. Field names are in lower case and valid: the owner has seen to it, here and below. It is left out for
   * clients that cannot take it or do not read, and 100 (Continue) is sent once.
   */
  inform(message: Http1Message, status: number, fields: readonly string[]): void {
    this.#sender.inform(message, status, fields);
  }

  /**
   * The head of the response. It leaves with the first content, or when the turn ends.
   * @throws EngineMisuseError for a second one
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

  /** Opens the tunnel that the request asks for. @param protocol empty for CONNECT. @throws EngineMisuseError for other requests */
  accept(message: Http1Message, protocol: string, fields: readonly string[]): void {
    this.#sender.accept(message, protocol, fields);
  }

  /**
   * Content bytes[start,end): into the output as far as it is the message's turn and there is room, otherwise it is copied to
   * the message's queue, which the owner bounds by the credit it grants. Nothing of it leaves for HEAD, 204 and 304. `onSent`
   * and `onClose` may come from within. @throws EngineMisuseError before the head or after the end
   */
  write(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#sender.write(message, bytes, start, end, last);
  }

  /** Ends the response with trailer fields, which only chunked content has. @throws EngineMisuseError as `write` */
  trailers(message: Http1Message, fields: readonly string[]): void {
    this.#sender.trailers(message, fields);
  }

  /**
   * The response will not be completed. HTTP/1.1 has no way to say it but to break the connection (RFC 9112 section 8); the
   * responses before it leave first.
   */
  reset(message: Http1Message, code: number): void {
    if (message.isClosed) return;
    const lifecycle = this.#lifecycle;
    if (message.response === ResponsePhase.Ended) lifecycle.giveUp(message, 'owner', code);
    else lifecycle.breakOff(message, 'owner', code);
  }

  // ---- the request ----

  /** The owner has consumed so many bytes of `onData`. @throws EngineMisuseError for more than came */
  consume(message: Http1Message, bytes: number): void {
    if (message.isClosed || message.request === RequestPhase.Dropped) return;
    if (bytes > message.unconsumedBytes)
      throw new EngineMisuseError(`at most ${message.unconsumedBytes} bytes consumed`, `${bytes} were`);
    message.unconsumedBytes -= bytes;
    this.#lifecycle.unconsumedBytes -= bytes;
    this.#growWindow(message, bytes);
  }

  /**
   * Doubles the window of an owner that has consumed two windows without leaving a backlog: such an owner waits for
   * the socket, and the socket waits for credit, so the latency of credit limits the rate. An owner that stalls from
   * the start never reaches this point.
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
   * The owner reads no more of the request: no more `onData` or `onTrailers`. The connection goes on if what is left is short, or
   * its response has said so already, and it comes soon (RFC 9112 section 9.3).
   */
  dropRequest(message: Http1Message): void {
    if (message.isClosed || message.request !== RequestPhase.Open) return;
    this.#lifecycle.drop(message);
    if (message.response === ResponsePhase.Ended) this.#lifecycle.answered(message);
  }

  /** What is being discarded has not come in time: the connection ends. */
  stopDiscarding(): void {
    const message = this.#lifecycle.receiving;
    if (message !== null && this.isDiscarding) this.#lifecycle.giveUp(message, 'engine', CANCEL);
  }

  // ---- the connection ----

  /**
   * The connection ends behind the message's response, which has not been given yet, and behind those of requests that have begun
   * beside it: no request that waits behind it begins.
   */
  endBehind(message: Http1Message): void {
    if (!message.isClosed) this.#lifecycle.beginNoMore();
  }

  /** The owner refuses what has begun to come: a head that is too late, say. What is open is answered before. */
  refuse(refusal: Refusal): void {
    this.#lifecycle.refuse(refusal);
  }

  /** So much time has passed: once a second or so. */
  advance(elapsedMs: number): void {
    this.#reader.advance(elapsedMs);
  }

  /** No more requests are taken; when those that are open have been answered, the connection ends. Idempotent. */
  drain(): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state !== 'open' || lifecycle.tunnel !== null) return;
    lifecycle.takeNoMore();
    lifecycle.settle();
  }

  /** What one turn has produced is complete: to be called before its output is taken. */
  endTurn(): void {
    this.#sender.endTurn();
  }

  // ---- output ----

  /** Whether `takeOutput` would give something now. */
  get hasOutput(): boolean {
    return this.#writer.output.hasOutput(this.#isOver) || this.#sender.canPump;
  }

  /**
   * Moves what waits as far as there is room, and gives the next chunk to write, chunk.buffer[0, chunk.length), or null. While
   * an earlier chunk is with the socket only full ones are given: ask again after `sent`.
   * @param onlyFull only a chunk that more output would not go into
   */
  takeOutput(onlyFull = false): OutputChunk | null {
    this.#sender.pump();
    return this.#writer.output.take(onlyFull, this.#isOver);
  }

  /** Whether `takeOutput(true)` would give something, as far as nothing has to be moved for it. */
  get hasFullOutput(): boolean {
    return this.#writer.output.hasFullOutput;
  }

  /** Content that came now would be queued, which is a copy more, until the socket has taken output. */
  get isFull(): boolean {
    return this.#sender.isFull;
  }

  /** The socket has taken so many bytes. */
  sent(bytes: number): void {
    this.#writer.output.sent(bytes);
  }

  get #isOver(): boolean {
    return this.#lifecycle.state !== 'open';
  }
}
