/**
 * One exchange in the reactor: where a protocol's stream and a thread's slot meet. It knows no sockets and no threads'
 * business; it moves heads, bytes and credit between the two, and it sees to it that both sides end exactly once.
 *
 *   request:   the peer's bytes wait here until the application's credit lets them cross; what the application has
 *              consumed goes back to the peer as flow-control credit. So at most one window waits here.
 *   response:  the thread's bytes go to the transport at once; what the transport has sent goes back to the
 *              thread as credit. So at most one response window waits in the transport.
 *
 * An exchange that no thread has begun leaves nothing behind on a thread: OPEN carries the whole head, and no body byte
 * crosses before the claim, since only a thread that has claimed it can grant credit. It can therefore be given to
 * another thread at any time.
 */

import { clockMicroseconds } from '../wire/clock.ts';
import { corrupt } from '../wire/decoder.ts';
import { Flag, ResetBy, ResetReason } from '../wire/messages.ts';
import { Window } from '../wire/window.ts';
import { ByteQueue } from './byte-queue.ts';
import { Deadline } from './deadlines/counters.ts';
import type { Watched, Watcher } from './deadlines/watched.ts';
import { Outcome, type OutcomeCounters } from './outcomes.ts';
import { Job, type JobThread, type OpeningThread, type Refusal } from './pools/job.ts';
import { Stall } from './pools/span.ts';

/** The protocol's side of an exchange. A call for a stream that is over does nothing. */
export interface Transport {
  inform(exchange: Exchange, status: number, fields: readonly string[]): void;
  /** @param fields frozen where other responses have the same. */
  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void;
  /** The tunnel that the request asks for is accepted: from now on `write` and `onRequestData` carry its bytes. */
  accept(exchange: Exchange, fields: readonly string[]): void;
  /** Takes the bytes, or a copy of them, before it returns. Tells `onSent` as they leave. */
  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void;
  trailers(exchange: Exchange, fields: readonly string[]): void;
  reset(exchange: Exchange, code: number): void;
  /** The application has consumed so many request bytes: the peer may send as many more. */
  consume(exchange: Exchange, bytes: number): void;
  /** Flags for OPEN: pushes and priority. Absent where the protocol has neither. */
  openFlags?(exchange: Exchange): number;
  /** Promises the response to another request; null, or absent: there can be none now. `number` is the thread's. */
  push?(
    parent: Exchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): Exchange | null;
  /** Pads what is sent from now on; absent where the protocol has no padding. */
  pad?(exchange: Exchange, toMultipleOf: number): void;
  /** Nobody will read the rest of the request: once the response is out, the peer is told to stop. */
  stopReading(exchange: Exchange): void;
  /** The peer is to blame for what the application's work on its request was in vain. May end the connection. */
  provoked?(exchange: Exchange): void;
  /** Nothing of ours keeps the peer from sending more of the request: neither a window nor a pause. */
  letsContentCome(exchange: Exchange): boolean;
  /** Response bytes that have left since some time in the past; -1 unless bytes wait for this exchange's peer to read. */
  takenBytes(exchange: Exchange): number;
  /** An error of ours while something was done for the exchange: whatever shares state with it ends, told or not. */
  fail(exchange: Exchange, error: unknown): void;
}

/** What a thread's HEAD says to accept a tunnel. */
const SWITCHING_PROTOCOLS = 101;
/** RFC 9113 section 7. */
const INTERNAL_ERROR = 0x2;
/** A pad length is one byte (RFC 9113 section 6.1). */
const MAX_PADDED_BYTES = 256;
const REFUSED_STREAM = 0x7;
const CANCEL = 0x8;

/** Who runs exchanges: a pool's dispatcher, or the server itself. */
export interface Taker {
  submit(exchange: Exchange): void;
  /** Takes the exchange back, unless it has been begun: then false. */
  withdraw(exchange: Exchange): boolean;
}

/** An answer of the server's own. */
export interface Explanation {
  /** Of the head, content-type among them, in pairs. */
  readonly fields: readonly string[];
  readonly text: string;
}

/** Where a route leads. */
export interface Destination {
  /** Null: nowhere. */
  readonly dispatcher: Taker | null;
  /** Response bytes that the thread may have sent and the peer not taken, to begin with. */
  readonly responseWindowBytes: number;
  /** What that may grow to while the peer takes all of it. */
  readonly maxResponseWindowBytes: number;
  readonly retryAfterSeconds: number;
  /** Content of a request; more is answered 413. Infinity: any. */
  readonly maxBodyBytes: number;
  /** The least rate of a request's content; slower is answered 408. 0: any. */
  readonly minRequestBytesPerSecond: number;
  /** The route takes WebSockets. */
  readonly websocket: boolean;
  /** The route takes CONNECT. */
  readonly connect: boolean;
  readonly outcomes: OutcomeCounters;
  /** How the server's own answers are written; absent: as plain text. */
  readonly explain?: (status: number, reason: string) => Explanation;
}

export class Exchange extends Job implements Watched {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly version: '2' | '1.1' | '1.0';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly fields: readonly string[];
  /** What TLS knows of the connection, for the thread to read (`describeTls`); empty for cleartext. */
  readonly tls: string;
  readonly transport: Transport;
  /** The transport's own object for this exchange. */
  readonly stream: unknown;

  // Watched: the watcher's own notes.
  watcher: Watcher | null = null;
  previousWatched: Watched | null = null;
  nextWatched: Watched | null = null;
  ageMs = 0;
  requestOwedMs = 0;
  requestMarkBytes = 0;
  responseOwedMs = -1;
  responseMarkBytes = 0;
  receivedBytes = 0;

  readonly #destination: Destination;
  /** `open`; `ended`: the peer has sent it whole; `stopped`: nobody reads the rest. */
  #request: 'open' | 'ended' | 'stopped';
  /** `none`, `head`, `ended`: what the transport has been given. */
  #response: 'none' | 'head' | 'ended' = 'none';
  /** Whether the transport's stream is over, so that nothing can be sent to it, and how it ended. */
  #closed: 'no' | 'complete' | 'reset' = 'no';
  /** What ended it, if it was not that both messages were whole, or the transport; the first counts. */
  #outcome: Outcome | null = null;
  #resetToSend = -1;
  /** Pushes that were refused, for the thread to hear. */
  #refusedPushes: number[] | null = null;
  #resetBy: ResetBy = ResetBy.Peer;

  /** What it carries is no content, and it has no end of its own. */
  readonly #isTunnel: boolean;
  /** Content that may still come. */
  #allowedBytes: number;
  #sentBytes = 0;
  #waiting: ByteQueue | null = null;
  #requestTrailers: string[] | null = null;
  #endSent = false;
  readonly #requestCredit = new Window(0);
  /** Request bytes that have crossed to the thread and that it has not consumed. */
  #crossedBytes = 0;
  /** The application has begun to read. */
  #credited = false;
  #responseCreditOwed = 0;
  #responseWindowBytes: number;
  /** Response bytes that the transport has been given and not sent. */
  #responseHeldBytes = 0;
  /** Response bytes sent since the window grew last. */
  #sentInWindowBytes = 0;

  constructor(
    transport: Transport,
    stream: unknown,
    destination: Destination,
    method: string,
    scheme: string,
    authority: string,
    path: string,
    version: '2' | '1.1' | '1.0',
    remoteAddress: string,
    remotePort: number,
    fields: readonly string[],
    requestEnded: boolean,
    tls = '',
  ) {
    super();
    this.transport = transport;
    this.stream = stream;
    this.#destination = destination;
    this.#responseWindowBytes = destination.responseWindowBytes;
    this.method = method;
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.version = version;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.fields = fields;
    this.tls = tls;
    this.#request = requestEnded ? 'ended' : 'open';
    this.#isTunnel = method === 'CONNECT' || fields[0] === ':protocol';
    this.#allowedBytes = this.#isTunnel ? Infinity : destination.maxBodyBytes;
    destination.outcomes.started++;
  }

  /** Goes to its pool, or is answered 404 when no route leads to one, 413 when it announces more than is allowed. */
  start(): void {
    if (this.#destination.dispatcher === null) this.answer(404);
    else if (this.#request === 'open' && this.#announcesTooMuch()) {
      this.#outcome = Outcome.TooLarge;
      this.answer(413);
    } else this.#destination.dispatcher.submit(this);
  }

  #announcesTooMuch(): boolean {
    if (this.#allowedBytes === Infinity) return false;
    const fields = this.fields;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] === 'content-length') return Number(fields[i + 1]) > this.#allowedBytes;
    }
    return false;
  }

  /** Without the query, which is more often a secret than of use. */
  override get label(): string {
    const end = this.path.indexOf('?');
    return `${this.method} ${end === -1 ? this.path : this.path.slice(0, end)}`;
  }

  /** Where its route leads. */
  get destination(): Destination {
    return this.#destination;
  }

  /** Somebody may still want what the peer has not sent yet. */
  get readsRequest(): boolean {
    return this.#request === 'open';
  }

  // ---- from the transport

  onRequestData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.receivedBytes += end - start;
    this.#allowedBytes -= end - start;
    if (this.#allowedBytes < 0 && this.#request === 'open') this.#refuseContent();
    if (last) this.#request = this.#request === 'open' ? 'ended' : this.#request;
    if (this.#request === 'stopped' || this.#closed !== 'no') {
      if (end > start) this.transport.consume(this, end - start);
      return;
    }
    if (this.#waiting !== null || !this.#sendRequestData(bytes, start, end)) {
      if (end > start) {
        this.#waiting ??= new ByteQueue();
        this.#waiting.push(bytes, start, end);
        if (this.span !== null) this.#noteUnread();
      }
    }
    this.onWritable();
  }

  /** The application has read some, and wants no more now. */
  #noteUnread(): void {
    if (this.#credited && this.#requestCredit.available <= 0) this.span?.stall(Stall.Request);
  }

  /** The application has sent all that it may, and is not done. */
  #noteUntaken(): void {
    if (this.#response !== 'head') return;
    if (this.#responseWindowBytes <= this.#responseHeldBytes + this.#responseCreditOwed) {
      this.span?.stall(Stall.Response);
    }
  }

  /** More than is allowed has come, of which less had been announced or nothing at all. */
  #refuseContent(): void {
    if (this.#response !== 'ended') this.#outcome ??= Outcome.TooLarge;
    if (this.#response === 'none') {
      this.answer(413);
      this.#abandon(CANCEL, ResetBy.Server);
    } else if (this.#response === 'head') {
      this.transport.reset(this, CANCEL);
    } else {
      this.#request = 'stopped';
      this.#waiting = null;
      this.transport.stopReading(this);
      this.#abandon(CANCEL, ResetBy.Server);
    }
    this.transport.provoked?.(this);
  }

  onRequestTrailers(fields: string[]): void {
    if (this.#request !== 'open') return;
    this.#request = 'ended';
    this.#requestTrailers = fields;
    this.onWritable();
  }

  /** Response bytes have left for the peer. */
  onSent(bytes: number): void {
    this.#sentBytes += bytes;
    this.#responseHeldBytes -= bytes;
    if (this.thread === null || this.#response === 'ended') return;
    this.#responseCreditOwed += bytes;
    this.#sentInWindowBytes += bytes;
    if (!this.#owesResponseCredit) return;
    this.#growResponseWindow();
    if (!this.#payResponseCredit(this.thread)) this.#stuck(this.thread);
    // The socket has taken output while the reactor may sleep, and the thread waits for this.
    this.thread.requestTurn();
  }

  /** A message for every piece would cost more than the pieces; half of the window keeps the thread writing. */
  get #owesResponseCredit(): boolean {
    return this.#responseCreditOwed > 0 && this.#responseCreditOwed >= this.#responseWindowBytes >> 1;
  }

  /**
   * A peer that has taken two windows' worth and leaves nothing lying waits for the thread, and the thread for the credit's
   * way back: a larger window bridges it. A peer that stalls from the start never gets there.
   */
  #growResponseWindow(): void {
    const most = this.#destination.maxResponseWindowBytes;
    const window = this.#responseWindowBytes;
    if (window >= most || this.#responseHeldBytes > 0 || this.#sentInWindowBytes < 2 * window) return;
    this.#responseWindowBytes = Math.min(2 * window, most);
    this.#responseCreditOwed += this.#responseWindowBytes - window;
    this.#sentInWindowBytes = 0;
  }

  /** The transport's stream is over. `reset`: cut off before both messages were whole. */
  onTransportClosed(reset: boolean, code: number, byPeer: boolean): void {
    if (this.#closed !== 'no') return;
    this.#closed = reset ? 'reset' : 'complete';
    if (this.span !== null) this.span.ended();
    this.watcher?.forget(this);
    this.#count(reset, byPeer);
    // Whole on both sides, but the application may have answered before it has read: the rest still goes to it.
    if (!reset) return;
    this.#waiting = null;
    if (this.#request === 'open') this.#request = 'stopped';
    this.#abandon(code, byPeer ? ResetBy.Peer : ResetBy.Server);
  }

  #count(reset: boolean, byPeer: boolean): void {
    const { outcomes } = this.#destination;
    if (this.#outcome === null && !reset) outcomes.complete++;
    else outcomes[this.#outcome ?? (byPeer ? Outcome.ResetByPeer : Outcome.ResetByServer)]++;
  }

  /** The thread need not go on: it is told, unless it has not begun. */
  #abandon(code: number, by: ResetBy): void {
    if (this.state !== 'queued' && this.state !== 'assigned') return;
    if (this.#destination.dispatcher?.withdraw(this) === true) return;
    this.#resetToSend = code;
    this.#resetBy = by;
    this.onWritable();
    this.thread?.requestTurn();
  }

  // ---- to the thread

  sendOpen(thread: OpeningThread, slot: number, generation: number): boolean {
    const whole = this.#request === 'ended' && this.#waiting === null && this.#requestTrailers === null;
    const sent = thread.channel.sendOpen(
      slot,
      generation,
      (whole ? Flag.End : 0) | (this.transport.openFlags?.(this) ?? 0),
      this.method,
      this.scheme,
      this.authority,
      this.path,
      this.version,
      this.remoteAddress,
      this.remotePort,
      // It was admitted when its head had come.
      clockMicroseconds(this.admittedAtMs),
      this.fields,
      this.tls,
    );
    if (!sent) return false;
    this.#endSent = whole;
    if (!whole && this.#request === 'ended' && this.#waiting === null) this.#sendEarlyTrailers(thread, slot);
    return true;
  }

  /**
   * Trailers that came before the thread did, behind no content: nothing that follows would send them, as an application that waits
   * for them alone grants no credit. A thread that does not claim the exchange drops them with its OPEN.
   */
  #sendEarlyTrailers(thread: OpeningThread, slot: number): void {
    this.#endSent = thread.channel.sendTrailers(slot, this.#requestTrailers ?? NO_FIELDS);
    if (!this.#endSent) thread.waitForRoom(this);
  }

  /** Sends what waits for the ring or for credit. False when the ring is full. */
  onWritable(): boolean {
    const thread = this.thread;
    if (thread === null) return true;
    if (this.#refusedPushes !== null && !this.#refusePushes(thread)) return this.#stuck(thread);
    if (this.#resetToSend !== -1) {
      if (!thread.channel.sendReset(this.slot, this.#resetToSend, this.#resetBy)) return this.#stuck(thread);
      this.#resetToSend = -1;
      return true;
    }
    if (this.#closed === 'reset') return true;
    if (!this.#sendWaiting(thread)) return this.#stuck(thread);
    if (this.#owesResponseCredit && !this.#payResponseCredit(thread)) return this.#stuck(thread);
    return true;
  }

  override get awaitsOnlyAnswer(): boolean {
    return this.#endSent && this.#response === 'none';
  }

  override get isUnsent(): boolean {
    if (this.thread === null) return false;
    if (this.#refusedPushes !== null || this.#resetToSend !== -1) return true;
    if (this.#closed === 'reset') return false;
    if (this.#closed === 'no' && this.#owesResponseCredit) return true;
    if (this.#waiting !== null && this.#waiting.length > 0) return this.#requestCredit.available > 0;
    return this.#request === 'ended' && !this.#endSent;
  }

  #refusePushes(thread: JobThread): boolean {
    const refused = this.#refusedPushes as number[];
    for (let number = refused[0]; number !== undefined; number = refused[0]) {
      if (!thread.channel.sendPromised(this.slot, number, false, 0)) return false;
      refused.shift();
    }
    this.#refusedPushes = null;
    return true;
  }

  #stuck(thread: JobThread): false {
    thread.waitForRoom(this);
    return false;
  }

  #sendWaiting(thread: JobThread): boolean {
    const waiting = this.#waiting;
    while (waiting !== null && waiting.length > 0) {
      const most = Math.min(this.#requestCredit.available, thread.channel.maxDataRecordBytes);
      if (most <= 0) return true;
      const piece = waiting.peek(most);
      const last =
        this.#request === 'ended' && this.#requestTrailers === null && piece.length === waiting.length;
      if (!thread.channel.sendData(this.slot, last ? Flag.End : 0, piece, 0, piece.length)) return false;
      this.#requestCredit.consume(piece.length);
      this.#crossedBytes += piece.length;
      thread.tally.requestBytes += piece.length;
      waiting.skip(piece.length);
      if (last) this.#endSent = true;
    }
    this.#waiting = null;
    if (this.span !== null) this.span.resume(Stall.Request);
    if (this.#request !== 'ended' || this.#endSent) return true;
    const sent =
      this.#requestTrailers === null
        ? thread.channel.sendData(this.slot, Flag.End, NO_BYTES, 0, 0)
        : thread.channel.sendTrailers(this.slot, this.#requestTrailers);
    if (sent) this.#endSent = true;
    return sent;
  }

  /** The short way: straight from the socket's buffer into the ring. False: it has to wait. */
  #sendRequestData(bytes: Uint8Array, start: number, end: number): boolean {
    const thread = this.thread;
    const length = end - start;
    if (thread === null || length === 0) return length === 0;
    if (length > this.#requestCredit.available || length > thread.channel.maxDataRecordBytes) return false;
    const last = this.#request === 'ended';
    if (!thread.channel.sendData(this.slot, last ? Flag.End : 0, bytes, start, end)) return false;
    this.#requestCredit.consume(length);
    this.#crossedBytes += length;
    thread.tally.requestBytes += length;
    if (last) this.#endSent = true;
    return true;
  }

  #payResponseCredit(thread: JobThread): boolean {
    // Nothing comes that would need it.
    if (this.#closed !== 'no') return true;
    if (!thread.channel.sendCredit(this.slot, this.#responseCreditOwed)) return false;
    this.#responseCreditOwed = 0;
    if (this.span !== null) this.span.resume(Stall.Response);
    return true;
  }

  // ---- from the thread

  onHead(
    flags: number,
    status: number,
    fields: readonly string[],
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.#closed !== 'no' || this.#response !== 'none') return;
    if (this.span !== null) this.span.responded();
    if (status === SWITCHING_PROTOCOLS) {
      this.#response = 'head';
      this.transport.accept(this, fields);
      return;
    }
    if (status < 200 || status > 599) throw corrupt('a final status of 200 to 599', status);
    const whole = (flags & Flag.End) !== 0;
    this.#response = whole ? 'ended' : 'head';
    if (end === start) {
      this.transport.respond(this, status, fields, whole);
    } else {
      this.transport.respond(this, status, fields, false);
      this.#responseHeldBytes += end - start;
      this.transport.write(this, bytes, start, end, true);
    }
    if (this.span !== null) this.#noteUntaken();
  }

  onInform(status: number, fields: string[]): void {
    if (this.#closed !== 'no' || this.#response !== 'none') return;
    if (status < 100 || status > 199 || status === SWITCHING_PROTOCOLS)
      throw corrupt('an interim status, 100 or 102 to 199', status);
    this.transport.inform(this, status, fields);
  }

  onData(flags: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#closed !== 'no' || this.#response !== 'head') return;
    const last = (flags & Flag.End) !== 0;
    if (last) this.#response = 'ended';
    this.#responseHeldBytes += end - start;
    this.transport.write(this, bytes, start, end, last);
    if (this.span !== null) this.#noteUntaken();
  }

  onTrailers(fields: string[]): void {
    if (this.#closed !== 'no' || this.#response !== 'head') return;
    this.#response = 'ended';
    this.transport.trailers(this, fields);
  }

  onCredit(granted: number, consumed: number): void {
    if (granted > 0 && !this.#credited) {
      this.#credited = true;
      this.#inviteContent();
    }
    if (consumed > this.#crossedBytes)
      throw corrupt(`at most ${this.#crossedBytes} bytes consumed`, consumed);
    this.#crossedBytes -= consumed;
    this.#requestCredit.grant(granted);
    if (consumed > 0 && this.#closed === 'no') this.transport.consume(this, consumed);
    this.onWritable();
  }

  /**
   * A client that expects 100 (Continue) holds its content back until it hears that somebody will read it (RFC 9110
   * section 10.1.1).
   */
  #inviteContent(): void {
    if (this.#request !== 'open' || this.#response !== 'none' || this.#closed !== 'no') return;
    if (this.version === '1.0') return;
    const fields = this.fields;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== 'expect' || (fields[i + 1] as string).toLowerCase() !== '100-continue') continue;
      this.transport.inform(this, 100, NO_FIELDS);
      return;
    }
  }

  override onPad(toMultipleOf: number): void {
    if (toMultipleOf > MAX_PADDED_BYTES) throw corrupt(`at most ${MAX_PADDED_BYTES} to pad to`, toMultipleOf);
    if (this.#closed === 'no') this.transport.pad?.(this, toMultipleOf);
  }

  override onPush(number: number, method: string, path: string, fields: string[]): void {
    const { thread, transport } = this;
    if (thread === null) return;
    const mayPush = this.#closed === 'no' && thread.canAdopt;
    const pushed = mayPush ? (transport.push?.(this, number, method, path, fields) ?? null) : null;
    if (pushed === null) {
      this.#refusedPushes ??= [];
      this.#refusedPushes.push(number);
      this.onWritable();
    } else if (thread.adopt(pushed)) {
      pushed.onWritable();
    } else {
      transport.reset(pushed, INTERNAL_ERROR);
    }
  }

  onReset(code: number, reason: number): void {
    if (this.#closed !== 'no') return;
    if (this.#response === 'ended') return;
    const hasThrown = reason === ResetReason.Threw;
    this.#outcome ??= hasThrown ? Outcome.Failed : Outcome.ResetByApplication;
    if (hasThrown && this.#response === 'none') this.answer(500);
    else this.#breakOff(code);
  }

  /** Nothing follows what the transport has been given. */
  #breakOff(code: number): void {
    this.#response = 'ended';
    this.transport.reset(this, code);
  }

  onReleased(): void {
    this.#waiting = null;
    this.#responseCreditOwed = 0;
    if (this.#closed !== 'no') return;
    if (this.#request === 'open') {
      this.#request = 'stopped';
      this.transport.stopReading(this);
    }
    this.onLost();
  }

  /** Its thread says nothing more of it, alive or dead: what has no whole response by then gets none from there. */
  onLost(): void {
    if (this.#closed !== 'no' || this.#response === 'ended') return;
    this.#outcome ??= Outcome.Lost;
    if (this.#response === 'none') this.answer(502);
    else this.#breakOff(INTERNAL_ERROR);
  }

  onFault(error: unknown): void {
    this.transport.fail(this, error);
  }

  onRefused(refusal: Refusal): void {
    if (this.#closed !== 'no') return;
    this.#outcome ??= REFUSALS[refusal];
    this.answer(503, ['retry-after', String(this.#destination.retryAfterSeconds)]);
  }

  // ---- deadlines

  /** What a tunnel carries, its two ends know the pace of. */
  get leastRequestBytesPerSecond(): number {
    return this.#isTunnel ? 0 : this.#destination.minRequestBytesPerSecond;
  }

  /**
   * A peer that has been sent a part of the response takes part in a conversation, where it may be its turn to listen:
   * only until the head, and again after the end, is its silence slowness.
   */
  get isOwedContent(): boolean {
    if (this.#request !== 'open' || this.#response === 'head' || this.#waiting !== null) return false;
    return this.#requestCredit.available > 0 && this.transport.letsContentCome(this);
  }

  get takenBytes(): number {
    return this.transport.takenBytes(this);
  }

  get hasEnd(): boolean {
    return !this.#isTunnel;
  }

  /** Response bytes that the transport has told of as sent. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** The peer is told by a response if none has begun: 408 when its request is what was late, 504 when ours was. */
  onDeadline(deadline: Deadline): void {
    if (this.#closed !== 'no') return;
    this.#outcome ??= deadline === Deadline.Drain ? Outcome.ResetByServer : Outcome.TimedOut;
    if (deadline === Deadline.Drain) {
      // What no application has begun the client may safely send again, to whoever comes next.
      const isUnbegun = this.#destination.dispatcher?.withdraw(this) === true;
      this.transport.reset(this, isUnbegun ? REFUSED_STREAM : CANCEL);
      return;
    }
    if (this.#response !== 'none' || deadline === Deadline.ResponseRate) {
      this.transport.reset(this, CANCEL);
      return;
    }
    this.answer(this.#request === 'open' ? 408 : 504);
    this.#abandon(CANCEL, ResetBy.Server);
  }

  /** A response of the server's own: the status and its name, nothing else. */
  answer(status: number, fields: readonly string[] = []): void {
    this.#outcome ??= Outcome.Refused;
    const reason = REASONS[status] ?? 'Error';
    const explanation = this.#destination.explain?.(status, reason);
    const text = explanation?.text ?? `${status} ${reason}\n`;
    const body = Buffer.from(text);
    this.#response = 'ended';
    const isUnread = this.#request === 'open';
    if (isUnread) {
      this.#request = 'stopped';
      this.#waiting = null;
    }
    const described = explanation?.fields ?? PLAIN_TEXT;
    const head = [...described, 'content-length', String(body.length), ...fields];
    this.transport.respond(this, status, head, false);
    this.transport.write(this, body, 0, body.length, true);
    if (isUnread) this.transport.stopReading(this);
  }
}

const NO_BYTES = new Uint8Array(0);
const NO_FIELDS: readonly string[] = [];
const PLAIN_TEXT: readonly string[] = ['content-type', 'text/plain; charset=utf-8'];
const REFUSALS = {
  'queue-full': Outcome.QueueFull,
  'waited-too-long': Outcome.WaitedTooLong,
  'pool-stopped': Outcome.PoolStopped,
} as const;
const REASONS: { readonly [status: number]: string } = {
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
