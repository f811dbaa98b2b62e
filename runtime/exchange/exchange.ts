/**
 * One exchange in the reactor: where a protocol's stream and a thread's slot meet. It knows no sockets and no threads'
 * business; it moves heads, bytes and credit between the two, and it sees to it that both sides end exactly once.
 * How far it is, and what everything that happens to it does then, is in `state.ts`.
 *
 *   request:   the peer's bytes wait here until the application's credit lets them cross; what the application has
 *              consumed goes back to the peer as flow-control credit (`RequestContent`).
 *   response:  the thread's bytes go to the transport at once; what the transport has sent goes back to the
 *              thread as credit (`ResponseCredit`).
 *
 * An exchange that no thread has begun leaves nothing behind on a thread: OPEN carries the whole head, and no body byte
 * crosses before the claim, since only a thread that has claimed it can grant credit. It can therefore be given to
 * another thread at any time.
 *
 * It is one class, and most exchanges have neither of the two objects: a class more between it and `Job` costs every request as much as
 * one of them would.
 */
import { clockMicroseconds } from '../../wire/clock.ts';
import { corrupt } from '../../wire/decoder.ts';
import { DEFAULT_URGENCY, Flag, ResetBy, ResetReason } from '../../wire/messages.ts';
import { elapsed } from '../../wire/vitals.ts';
import { Deadline } from '../deadlines/counters.ts';
import type { DeadlineNotes, Watched, Watcher } from '../deadlines/watched.ts';
import {
  type FollowingThread,
  Job,
  type JobThread,
  type OpeningThread,
  type Particulars,
  type Refusal,
} from '../pools/job.ts';
import { Stall } from '../pools/span.ts';
import { affinityKeyOf } from './affinity.ts';
import type * as contracts from './contracts.ts';
import { Outcome } from './outcomes.ts';
import { answerOf } from './own-answers.ts';
import { RequestContent, type RequestFlow } from './request-content.ts';
import { announcesMoreThan, expectsContinue, labelOf, particularsOf } from './request-head.ts';
import { ResponseCredit, type ResponseFlow } from './response-credit.ts';
import {
  ExchangeEffect,
  ExchangeInput,
  ExchangeState,
  isAnswering,
  isOver,
  isRequestOpen,
  isUnanswered,
  transition,
} from './state.ts';
import { ThreadNews } from './thread-news.ts';

/** What a thread's HEAD says to accept a tunnel. */
const SWITCHING_PROTOCOLS = 101;
/** RFC 9113 section 7. */
const INTERNAL_ERROR = 0x2;
const REFUSED_STREAM = 0x7;
const CANCEL = 0x8;
/** A pad length is one byte (RFC 9113 section 6.1). */
const MAX_PADDED_BYTES = 256;
const NO_FIELDS: readonly string[] = [];
const REFUSALS = {
  'queue-full': Outcome.QueueFull,
  'waited-too-long': Outcome.WaitedTooLong,
  'no-thread': Outcome.NoThread,
  draining: Outcome.Draining,
} as const;

export type Transport = contracts.Transport<Exchange>;
export type Taker = contracts.Taker<Exchange>;
export type Destination = contracts.Destination<Exchange>;

/** Where the bytes of an exchange are, between its transport and its thread. */
export interface ExchangeFlow {
  readonly request: RequestFlow | null;
  readonly response: ResponseFlow | null;
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
  /** What it is called in logs, by applications and to its peer; empty: nothing. */
  requestId = '';
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

  /** Response bytes that the transport has told of as sent. */
  sentBytes = 0;

  readonly #destination: Destination;
  #progress: ExchangeState;
  /** What ended it, if it was not that both messages were whole, or the transport; the first counts. */
  #outcome: Outcome | null = null;
  /** Null: the thread has nothing to hear of but content and credit. */
  #news: ThreadNews | null = null;
  /** What it carries is no content, and it has no end of its own. */
  readonly #isTunnel: boolean;
  /** Content that may still come. */
  #allowedBytes: number;
  /** Null: OPEN has said, or will say, that there is none. */
  #content: RequestContent | null;
  /** A thread that waits to hear when it is over; null: none does. */
  #follower: { readonly thread: FollowingThread; readonly slot: number; readonly generation: number } | null =
    null;
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
    this.#progress = requestEnded ? ExchangeState.WholeUnanswered : ExchangeState.OpenUnanswered;
    this.#content = requestEnded ? null : new RequestContent(false);
    this.#isTunnel = method === 'CONNECT' || fields[0] === ':protocol';
    this.#allowedBytes = this.#isTunnel ? Infinity : destination.maxBodyBytes;
    destination.outcomes.started++;
  }

  /** What `input` does, which has been noted when this returns. */
  #step(input: ExchangeInput): ExchangeEffect {
    const { effect, next } = transition(this.#progress, input);
    this.#progress = next;
    return effect;
  }

  /** Goes to its pool, or is answered 404 when no route leads to one, 413 when it announces more than is allowed. */
  start(): void {
    if (this.#destination.dispatcher === null) this.answer(404);
    else if (this.readsRequest && announcesMoreThan(this.#allowedBytes, this)) {
      this.#outcome = Outcome.TooLarge;
      this.answer(413);
    } else {
      this.lane = this.#destination.lane ?? null;
      this.#destination.dispatcher.submit(this);
    }
  }

  // ---- what a pool asks

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

  override get label(): string {
    return labelOf(this);
  }

  override get particulars(): Particulars {
    return particularsOf(this, this.#destination.route ?? '');
  }

  override get computeTimeoutMs(): number | null {
    return this.#destination.computeTimeoutMs ?? null;
  }

  /** Where its route leads. */
  get destination(): Destination {
    return this.#destination;
  }

  /** See state.ts. */
  get progress(): ExchangeState {
    return this.#progress;
  }

  /** For whoever looks at what stands still; null: there is no content, or none yet. */
  get flow(): ExchangeFlow {
    return { request: this.#content?.flow ?? null, response: this.#credit?.flow ?? null };
  }

  /** Somebody may still want what the peer has not sent yet. */
  get readsRequest(): boolean {
    return isRequestOpen(this.#progress);
  }

  // ---- from the transport

  onRequestData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.receivedBytes += end - start;
    this.#allowedBytes -= end - start;
    if (this.#allowedBytes < 0 && this.readsRequest) this.#refuseContent();
    const input = last ? ExchangeInput.ReceiveEnd : ExchangeInput.ReceiveContent;
    if (this.#step(input) !== ExchangeEffect.Proceed) {
      if (end > start) this.transport.consume(this, end - start);
      return;
    }
    const content = this.#contentOf();
    content.take(this.thread, this.slot, bytes, start, end, last);
    if (this.span !== null && content.isHeldBack) this.span.stall(Stall.Request);
    this.onWritable();
  }

  #contentOf(): RequestContent {
    this.#content ??= new RequestContent(true);
    return this.#content;
  }

  onRequestTrailers(fields: string[]): void {
    if (this.#step(ExchangeInput.ReceiveEnd) !== ExchangeEffect.Proceed) return;
    this.#contentOf().takeTrailers(fields);
    this.onWritable();
  }

  /** Response bytes have left for the peer. */
  onSent(bytes: number): void {
    this.sentBytes += bytes;
    const { thread } = this;
    const credit = this.#credit;
    if (thread === null || credit === null || !isAnswering(this.#progress)) return;
    credit.sent(bytes);
    if (!credit.isDue) return;
    if (!this.#payCredit(thread, credit)) this.#stuck(thread);
    // The socket has taken output while the reactor may sleep, and the thread waits for this.
    thread.requestTurn();
  }

  /** The transport's stream is over. `reset`: cut off before both messages were whole. */
  onTransportClosed(reset: boolean, code: number, byPeer: boolean): void {
    const input = reset ? ExchangeInput.TransportReset : ExchangeInput.TransportComplete;
    if (this.#step(input) === ExchangeEffect.Ignore) return;
    if (this.span !== null) this.span.ended();
    this.watcher?.forget(this);
    this.#count(reset, byPeer);
    this.#tellFollower();
    // Whole on both sides, but the application may have answered before it has read: the rest still goes to it.
    if (!reset) return;
    this.#content?.drop();
    this.#abandon(code, byPeer ? ResetBy.Peer : ResetBy.Server);
  }

  override onFollowed(thread: FollowingThread, slot: number, generation: number): void {
    this.#follower = { thread, slot, generation };
    if (isOver(this.#progress)) this.#tellFollower();
  }

  /** A thread whose ring is full does without it. */
  #tellFollower(): void {
    const follower = this.#follower;
    if (follower === null) return;
    this.#follower = null;
    const { thread, slot, generation } = follower;
    thread.channel.sendTimes(slot, generation, clockMicroseconds(), this.status);
    thread.requestTurn();
  }

  /** What it waited for before its application began; null: no thread has it. */
  get waits(): { readonly queueMs: number; readonly claimMs: number } | null {
    const { thread, slot, admittedAtMs, assignedAtMs } = this;
    if (thread?.vitals === undefined) return null;
    const claimUs = elapsed(clockMicroseconds(assignedAtMs), thread.vitals.begunUs(slot));
    return { queueMs: assignedAtMs - admittedAtMs, claimMs: claimUs / 1000 };
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
    this.#newsOf().reset(code, by);
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
      this.requestId,
    );
    if (!sent) return false;
    if (content !== null && !content.opened(thread, slot, whole)) thread.waitForRoom(this);
    return true;
  }

  /** Sends what waits for the ring or for credit. False when the ring is full. */
  onWritable(): boolean {
    const thread = this.thread;
    if (thread === null) return true;
    const news = this.#news;
    if (news !== null && !news.isNothing) {
      // Nothing more of the request is of use to a thread that hears of its end.
      const isReset = news.hasReset;
      if (!news.send(thread, this.slot)) return this.#stuck(thread);
      if (isReset) return true;
    }
    if (this.#progress === ExchangeState.Cut) return true;
    const credit = this.#credit;
    if (!this.#sendContent(thread)) return this.#stuck(thread);
    if (credit?.isDue === true && !this.#payCredit(thread, credit)) return this.#stuck(thread);
    return true;
  }

  override get awaitsOnlyAnswer(): boolean {
    return isUnanswered(this.#progress) && (this.#content === null || this.#content.isEndSent);
  }

  override get isUnsent(): boolean {
    if (this.thread === null) return false;
    if (this.#news !== null && !this.#news.isNothing) return true;
    if (!isOver(this.#progress) && this.#credit?.isDue === true) return true;
    return this.#progress !== ExchangeState.Cut && this.#content?.isUnsent === true;
  }

  #stuck(thread: JobThread): false {
    thread.waitForRoom(this);
    return false;
  }

  #sendContent(thread: JobThread): boolean {
    const content = this.#content;
    if (content === null) return true;
    const isSent = content.send(thread, this.slot);
    if (this.span !== null && !content.isWaiting) this.span.resume(Stall.Request);
    return isSent;
  }

  #payCredit(thread: JobThread, credit: ResponseCredit): boolean {
    // Nothing comes that would need it.
    if (isOver(this.#progress)) return true;
    if (!thread.channel.sendCredit(this.slot, credit.owedBytes)) return false;
    credit.paid();
    if (this.span !== null) this.span.resume(Stall.Response);
    return true;
  }

  #newsOf(): ThreadNews {
    this.#news ??= new ThreadNews();
    return this.#news;
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
    if (!isUnanswered(this.#progress)) return;
    if (this.span !== null) this.span.responded();
    this.status = status;
    if (status === SWITCHING_PROTOCOLS) {
      this.#step(ExchangeInput.SendHead);
      this.#credit = new ResponseCredit(this.#destination);
      this.transport.accept(this, fields);
      return;
    }
    if (status < 200 || status > 599) throw corrupt('a final status of 200 to 599', status);
    if ((flags & Flag.CloseConnection) !== 0) this.transport.closeConnection?.(this);
    const whole = (flags & Flag.End) !== 0;
    this.#step(whole ? ExchangeInput.SendWhole : ExchangeInput.SendHead);
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
    if (transition(this.#progress, ExchangeInput.SendInform).effect === ExchangeEffect.Ignore) return;
    if (status < 100 || status > 199 || status === SWITCHING_PROTOCOLS)
      throw corrupt('an interim status, 100 or 102 to 199', status);
    this.transport.inform(this, status, fields);
  }

  onData(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const last = (flags & Flag.End) !== 0;
    const input = last ? ExchangeInput.SendEnd : ExchangeInput.SendContent;
    if (this.#step(input) !== ExchangeEffect.Proceed) return;
    this.#credit?.hold(end - start);
    this.responseBytes += end - start;
    this.transport.write(this, bytes, start, end, last);
    if (this.span !== null) this.#noteUntaken();
  }

  onTrailers(fields: string[]): void {
    if (this.#step(ExchangeInput.SendEnd) !== ExchangeEffect.Proceed) return;
    this.transport.trailers(this, fields);
  }

  override onPad(toMultipleOf: number): void {
    if (toMultipleOf > MAX_PADDED_BYTES) throw corrupt(`at most ${MAX_PADDED_BYTES} to pad to`, toMultipleOf);
    if (!isOver(this.#progress)) this.transport.pad?.(this, toMultipleOf);
  }

  override onPush(number: number, method: string, path: string, fields: string[]): void {
    const { thread, transport } = this;
    if (thread === null) return;
    const mayPush = !isOver(this.#progress) && thread.canAdopt;
    const pushed = mayPush ? (transport.push?.(this, number, method, path, fields) ?? null) : null;
    if (pushed === null) {
      this.#newsOf().refusePush(number);
      this.onWritable();
    } else if (thread.adopt(pushed)) {
      pushed.onWritable();
    } else {
      transport.reset(pushed, INTERNAL_ERROR);
    }
  }

  /** The application has sent all that it may, and is not done. */
  #noteUntaken(): void {
    if (isAnswering(this.#progress) && this.#credit?.isUsedUp === true) this.span?.stall(Stall.Response);
  }

  onCredit(granted: number, consumed: number): void {
    if (this.#contentOf().grant(granted, consumed)) this.#inviteContent();
    if (consumed > 0 && !isOver(this.#progress)) this.transport.consume(this, consumed);
    this.onWritable();
  }

  #inviteContent(): void {
    if (this.#progress !== ExchangeState.OpenUnanswered || this.version === '1.0') return;
    if (expectsContinue(this)) this.transport.inform(this, 100, NO_FIELDS);
  }

  onReset(code: number, reason: number): void {
    const hasThrown = reason === ResetReason.Threw;
    const outcome = hasThrown ? Outcome.Failed : Outcome.ResetByApplication;
    this.#end(hasThrown ? ExchangeInput.Fail : ExchangeInput.SendReset, outcome, 500, code);
  }

  onReleased(): void {
    this.#content?.drop();
    this.#credit?.paid();
    this.#end(ExchangeInput.GiveUp, Outcome.Lost, 502, INTERNAL_ERROR);
  }

  /** Its thread says nothing more of it, alive or dead: what has no whole response by then gets none from there. */
  onLost(): void {
    this.#end(ExchangeInput.Fail, Outcome.Lost, 502, INTERNAL_ERROR);
  }

  /** As at a deadline: the peer need not wait for the end of the thread, and the application hears of it where it listens. */
  override onOverrun(): void {
    const effect = this.#end(ExchangeInput.Fail, Outcome.TimedOut, 504, INTERNAL_ERROR);
    if (effect === ExchangeEffect.Answer) this.#abandon(CANCEL, ResetBy.Server);
  }

  /** As at the end of a drain: it is cut off where it stands, with a code that says whether it may be sent again. */
  override onExpired(): void {
    this.onDeadline(Deadline.Drain);
  }

  onFault(error: unknown): void {
    this.transport.fail(this, error);
  }

  onRefused(refusal: Refusal, noThreadForMs: number): void {
    if (this.#step(ExchangeInput.Answer) !== ExchangeEffect.Answer) return;
    this.#outcome ??= REFUSALS[refusal];
    const seconds = Math.max(this.#destination.retryAfterSeconds, Math.ceil(noThreadForMs / 1000));
    this.#writeAnswer(503, ['retry-after', String(seconds)]);
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
    const progress = this.#progress;
    if (progress !== ExchangeState.OpenUnanswered && progress !== ExchangeState.OpenAnswered) return false;
    return this.#content?.isAwaited === true && this.transport.letsContentCome(this);
  }

  get takenBytes(): number {
    return this.transport.takenBytes(this);
  }

  get hasEnd(): boolean {
    return !this.#isTunnel;
  }

  /** The peer is told by a response if none has begun: 408 when its request is what was late, 504 when ours was. */
  onDeadline(deadline: Deadline): void {
    if (isOver(this.#progress)) return;
    if (deadline === Deadline.Drain) {
      // What no application has begun the client may safely send again, to whoever comes next.
      const isUnbegun = this.#destination.dispatcher?.withdraw(this) === true;
      this.#end(ExchangeInput.Abort, Outcome.ResetByServer, 0, isUnbegun ? REFUSED_STREAM : CANCEL);
      return;
    }
    const input = deadline === Deadline.ResponseRate ? ExchangeInput.Abort : ExchangeInput.Expire;
    const effect = this.#end(input, Outcome.TimedOut, this.readsRequest ? 408 : 504, CANCEL);
    if (effect === ExchangeEffect.Answer) this.#abandon(CANCEL, ResetBy.Server);
  }

  // ---- the server's own answers

  /** The peer has sent more than is allowed, of which less had been announced or nothing at all. */
  #refuseContent(): void {
    const effect = this.#end(ExchangeInput.GiveUp, Outcome.TooLarge, 413, CANCEL);
    if (effect !== ExchangeEffect.BreakOff) this.#abandon(CANCEL, ResetBy.Server);
    this.transport.provoked?.(this);
  }

  /** A response of the server's own: the status and its name, nothing else. */
  answer(status: number, fields?: readonly string[]): void {
    if (this.#step(ExchangeInput.Answer) === ExchangeEffect.Answer) this.#writeAnswer(status, fields);
  }

  /** Does what `input` asks for. @param outcome if the response is not whole. @param status of an answer. @param code of a reset */
  #end(input: ExchangeInput, outcome: Outcome, status: number, code: number): ExchangeEffect {
    const effect = this.#step(input);
    switch (effect) {
      case ExchangeEffect.Answer:
        this.#outcome ??= outcome;
        this.#writeAnswer(status);
        break;
      case ExchangeEffect.BreakOff:
        this.#outcome ??= outcome;
        this.transport.reset(this, code);
        break;
      case ExchangeEffect.StopReading:
        this.#content?.drop();
        this.transport.stopReading(this);
        break;
    }
    return effect;
  }

  #writeAnswer(status: number, fields: readonly string[] = []): void {
    if (status >= 400) this.#outcome ??= Outcome.Refused;
    const { fields: described, content } = answerOf(status, this.#destination.explain);
    this.status = status;
    this.responseBytes = content.length;
    const isUnread = this.#progress === ExchangeState.Finishing;
    if (isUnread) this.#content?.drop();
    this.transport.respond(this, status, [...described, ...fields], false);
    this.transport.write(this, content, 0, content.length, true);
    if (isUnread) this.transport.stopReading(this);
  }
}
