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
import { DEFAULT_URGENCY, Flag, ResetBy, ResetReason } from '../wire/messages.ts';
import { affinityKeyOf } from './affinity.ts';
import { Deadline } from './deadlines/counters.ts';
import type { DeadlineNotes, Watched, Watcher } from './deadlines/watched.ts';
import type * as contracts from './exchange-contracts.ts';
import { Outcome } from './outcomes.ts';
import { answerOf } from './own-answers.ts';
import { Job, type JobThread, type OpeningThread, type Particulars, type Refusal } from './pools/job.ts';
import { Stall } from './pools/span.ts';
import { RequestContent } from './request-content.ts';
import { ResponseCredit } from './response-credit.ts';

/** What a thread's HEAD says to accept a tunnel. */
const SWITCHING_PROTOCOLS = 101;
/** RFC 9113 section 7. */
const INTERNAL_ERROR = 0x2;
/** A pad length is one byte (RFC 9113 section 6.1). */
const MAX_PADDED_BYTES = 256;
/** A peer chose them, within limits that are meant for other things than lines of a log. */
const MOST_NAMED_CHARS = 256;
const REFUSED_STREAM = 0x7;
const CANCEL = 0x8;

export type Transport = contracts.Transport<Exchange>;
export type Taker = contracts.Taker<Exchange>;
export type Destination = contracts.Destination<Exchange>;

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

  // Watched: the watcher's own.
  watcher: Watcher | null = null;
  previousWatched: Watched | null = null;
  nextWatched: Watched | null = null;
  notes: DeadlineNotes | null = null;
  receivedBytes = 0;

  /** Of the final response; 0 until there is one. */
  status = 0;
  /** Content of the response that the transport has been given. */
  responseBytes = 0;

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
  /** Null: OPEN has said, or will say, that there is none. */
  #content: RequestContent | null;
  /** Null until a response begins that is not whole. */
  #credit: ResponseCredit | null = null;

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
    this.#content = requestEnded ? null : new RequestContent(false);
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
    } else {
      this.lane = this.#destination.lane ?? null;
      this.#destination.dispatcher.submit(this);
    }
  }

  override get source(): object {
    return this.transport;
  }

  override get urgency(): number {
    return this.transport.urgencyOf?.(this) ?? DEFAULT_URGENCY;
  }

  override get affinityKey(): string {
    const { affinity } = this.#destination;
    return affinity === undefined ? '' : affinityKeyOf(affinity, this.fields);
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

  override get particulars(): Particulars {
    const { method, path } = this;
    const end = path.indexOf('?');
    return {
      method: method.slice(0, MOST_NAMED_CHARS),
      route: this.#destination.route ?? '',
      path: path.slice(0, Math.min(end === -1 ? path.length : end, MOST_NAMED_CHARS)),
    };
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
    const content = this.#contentOf();
    content.take(this.thread, this.slot, bytes, start, end, last);
    if (this.span !== null && content.isHeldBack) this.span.stall(Stall.Request);
    this.onWritable();
  }

  #contentOf(): RequestContent {
    this.#content ??= new RequestContent(this.#request === 'ended');
    return this.#content;
  }

  /** The application has sent all that it may, and is not done. */
  #noteUntaken(): void {
    if (this.#response === 'head' && this.#credit?.isUsedUp === true) this.span?.stall(Stall.Response);
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
      this.#content?.drop();
      this.transport.stopReading(this);
      this.#abandon(CANCEL, ResetBy.Server);
    }
    this.transport.provoked?.(this);
  }

  onRequestTrailers(fields: string[]): void {
    if (this.#request !== 'open') return;
    this.#request = 'ended';
    this.#contentOf().takeTrailers(fields);
    this.onWritable();
  }

  /** Response bytes have left for the peer. */
  onSent(bytes: number): void {
    this.#sentBytes += bytes;
    const { thread } = this;
    const credit = this.#credit;
    if (thread === null || credit === null || this.#response === 'ended') return;
    credit.sent(bytes);
    if (!credit.isDue) return;
    if (!this.#payCredit(thread, credit)) this.#stuck(thread);
    // The socket has taken output while the reactor may sleep, and the thread waits for this.
    thread.requestTurn();
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
    this.#content?.drop();
    if (this.#request === 'open') this.#request = 'stopped';
    this.#abandon(code, byPeer ? ResetBy.Peer : ResetBy.Server);
  }

  #count(reset: boolean, byPeer: boolean): void {
    const { outcomes, onEnded } = this.#destination;
    const ending = reset ? (byPeer ? Outcome.ResetByPeer : Outcome.ResetByServer) : Outcome.Complete;
    const outcome = this.#outcome ?? ending;
    outcomes[outcome]++;
    if (onEnded !== undefined) onEnded(this, outcome);
  }

  /** The thread need not go on: it is told, unless it has not begun. */
  #abandon(code: number, by: ResetBy): void {
    if (this.state === 'idle' || this.state === 'released') return;
    if (this.#destination.dispatcher?.withdraw(this) === true) return;
    this.#resetToSend = code;
    this.#resetBy = by;
    this.onWritable();
    this.thread?.requestTurn();
  }

  // ---- to the thread

  sendOpen(thread: OpeningThread, slot: number, generation: number): boolean {
    const content = this.#content;
    const whole = content === null || content.isNothing;
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
    if (content !== null && !content.opened(thread, slot, whole)) thread.waitForRoom(this);
    return true;
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
    if (!this.#sendContent(thread)) return this.#stuck(thread);
    const credit = this.#credit;
    if (credit?.isDue === true && !this.#payCredit(thread, credit)) return this.#stuck(thread);
    return true;
  }

  override get awaitsOnlyAnswer(): boolean {
    return this.#response === 'none' && (this.#content === null || this.#content.isEndSent);
  }

  override get isUnsent(): boolean {
    if (this.thread === null) return false;
    if (this.#refusedPushes !== null || this.#resetToSend !== -1) return true;
    if (this.#closed === 'reset') return false;
    if (this.#closed === 'no' && this.#credit?.isDue === true) return true;
    return this.#request !== 'stopped' && this.#content?.isUnsent === true;
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

  #sendContent(thread: JobThread): boolean {
    const content = this.#content;
    if (content === null || this.#request === 'stopped') return true;
    const isSent = content.send(thread, this.slot);
    if (this.span !== null && !content.isWaiting) this.span.resume(Stall.Request);
    return isSent;
  }

  #payCredit(thread: JobThread, credit: ResponseCredit): boolean {
    // Nothing comes that would need it.
    if (this.#closed !== 'no') return true;
    if (!thread.channel.sendCredit(this.slot, credit.owedBytes)) return false;
    credit.paid();
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
    this.status = status;
    if (status === SWITCHING_PROTOCOLS) {
      this.#response = 'head';
      this.#credit = new ResponseCredit(this.#destination);
      this.transport.accept(this, fields);
      return;
    }
    if (status < 200 || status > 599) throw corrupt('a final status of 200 to 599', status);
    if ((flags & Flag.CloseConnection) !== 0) this.transport.closeConnection?.(this);
    const whole = (flags & Flag.End) !== 0;
    this.#response = whole ? 'ended' : 'head';
    this.responseBytes = end - start;
    if (!whole) this.#credit = new ResponseCredit(this.#destination);
    if (end === start) {
      this.transport.respond(this, status, fields, whole);
    } else {
      this.transport.respond(this, status, fields, false);
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
    this.#credit?.hold(end - start);
    this.responseBytes += end - start;
    this.transport.write(this, bytes, start, end, last);
    if (this.span !== null) this.#noteUntaken();
  }

  onTrailers(fields: string[]): void {
    if (this.#closed !== 'no' || this.#response !== 'head') return;
    this.#response = 'ended';
    this.transport.trailers(this, fields);
  }

  onCredit(granted: number, consumed: number): void {
    if (this.#contentOf().grant(granted, consumed)) this.#inviteContent();
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
    this.#content?.drop();
    this.#credit?.paid();
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

  override get computeTimeoutMs(): number | null {
    return this.#destination.computeTimeoutMs ?? null;
  }

  /** As at a deadline: the peer need not wait for the end of the thread, and the application hears of it where it listens. */
  override onOverrun(): void {
    if (this.#closed !== 'no' || this.#response === 'ended') return;
    this.#outcome ??= Outcome.TimedOut;
    if (this.#response === 'head') {
      this.transport.reset(this, INTERNAL_ERROR);
      return;
    }
    this.answer(504);
    this.#abandon(CANCEL, ResetBy.Server);
  }

  /** As at the end of a drain: it is cut off where it stands, with a code that says whether it may be sent again. */
  override onExpired(): void {
    this.onDeadline(Deadline.Drain);
  }

  onFault(error: unknown): void {
    this.transport.fail(this, error);
  }

  onRefused(refusal: Refusal, noThreadForMs: number): void {
    if (this.#closed !== 'no') return;
    this.#outcome ??= REFUSALS[refusal];
    const seconds = Math.max(this.#destination.retryAfterSeconds, Math.ceil(noThreadForMs / 1000));
    this.answer(503, ['retry-after', String(seconds)]);
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
    if (this.#request !== 'open' || this.#response === 'head' || this.#content?.isAwaited !== true)
      return false;
    return this.transport.letsContentCome(this);
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
    if (status >= 400) this.#outcome ??= Outcome.Refused;
    const { fields: described, content } = answerOf(status, this.#destination.explain);
    this.#response = 'ended';
    this.status = status;
    this.responseBytes = content.length;
    const isUnread = this.#request === 'open';
    if (isUnread) {
      this.#request = 'stopped';
      this.#content?.drop();
    }
    this.transport.respond(this, status, [...described, ...fields], false);
    this.transport.write(this, content, 0, content.length, true);
    if (isUnread) this.transport.stopReading(this);
  }
}

const NO_FIELDS: readonly string[] = [];
const REFUSALS = {
  'queue-full': Outcome.QueueFull,
  'waited-too-long': Outcome.WaitedTooLong,
  'no-thread': Outcome.NoThread,
  draining: Outcome.Draining,
} as const;
