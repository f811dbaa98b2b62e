/**
 * The thread's side of an exchange: the job that a pool gives to a thread. It sends OPEN, the request's
 * content and the thread's credit. It passes the thread's messages on to the transport, as far as the state
 * of the exchange allows (state.ts).
 *
 *   request:   the peer's bytes wait here until the application's credit lets them cross; what the application has
 *              consumed goes back to the peer as flow-control credit (`RequestContent`).
 *   response:  the thread's bytes go to the transport at once; for bytes that the transport has sent, the
 *              thread gets credit (`ResponseCredit`).
 *
 * An unbegun job leaves nothing behind on a thread: OPEN carries the whole head, and no body byte crosses
 * before the claim, because only a thread that has claimed the job can grant credit. So the job can be given
 * to another thread at any time.
 *
 * Most exchanges need neither of the two objects, nor `ThreadNews`. Each is made when it is first needed.
 */
import { clockMicroseconds } from '../../wire/clock.ts';
import { corrupt } from '../../wire/decoder.ts';
import { DEFAULT_URGENCY, Flag, ResetBy, ResetReason } from '../../wire/messages.ts';
import { elapsed } from '../../wire/vitals.ts';
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
import { RequestContent, type RequestFlow } from './request-content.ts';
import { expectsContinue, type Head, labelOf, particularsOf } from './request-head.ts';
import { ResponseCredit, type ResponseFlow } from './response-credit.ts';
import {
  ExchangeEffect,
  ExchangeInput,
  ExchangeState,
  isAnswering,
  isOver,
  isUnanswered,
  transition,
} from './state.ts';
import { ThreadNews } from './thread-news.ts';

/** The status in a thread's HEAD that accepts a tunnel. */
const SWITCHING_PROTOCOLS = 101;
/** RFC 9113 section 7. */
const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;
/** A pad length is one byte (RFC 9113 section 6.1). */
const MAX_PADDED_BYTES = 256;
const NO_FIELDS: readonly string[] = [];

/** The exchange that a job belongs to. */
export interface JobOwner extends Head {
  readonly version: '2' | '1.1' | '1.0';
  readonly transport: contracts.Transport<JobOwner>;
  readonly destination: contracts.Destination<ExchangeJob<JobOwner>>;
  readonly job: ExchangeJob<JobOwner>;
  readonly progress: ExchangeState;
  /** Status of the final response; 0 until there is one. */
  status: number;
  /** Bytes of response content that were passed to the transport. */
  responseBytes: number;
  /** See `Exchange.openOn`. */
  openOn(
    channel: OpeningThread['channel'],
    slot: number,
    generation: number,
    flags: number,
    admittedUs: number,
  ): boolean;
  /** See `Exchange.step`. */
  step(input: ExchangeInput): ExchangeEffect;
  /** See `Exchange.end`. */
  end(input: ExchangeInput, outcome: Outcome, status: number, code: number): ExchangeEffect;
  /** See `Exchange.refuse`. */
  refuse(refusal: Refusal, noThreadForMs: number): void;
  /** See `Exchange.cutOff`. */
  cutOff(): void;
}

/** Where the bytes of an exchange are, between its transport and its thread. */
export interface ExchangeFlow {
  readonly request: RequestFlow | null;
  readonly response: ResponseFlow | null;
}

export class ExchangeJob<Owner extends JobOwner = JobOwner> extends Job {
  readonly exchange: Owner;
  /** Null: the request has no content, as OPEN says. */
  #content: RequestContent | null;
  /** Null until a response begins that is not complete with its head. */
  #credit: ResponseCredit | null = null;
  /** Null: there is nothing to tell the thread but content and credit. */
  #news: ThreadNews | null = null;
  /** A thread that wants to be told when the exchange is over; null: none does. */
  #follower: { readonly thread: FollowingThread; readonly slot: number; readonly generation: number } | null =
    null;

  constructor(exchange: Owner, requestEnded: boolean) {
    super();
    this.exchange = exchange;
    this.#content = requestEnded ? null : new RequestContent(false);
  }

  // ---- for the pool

  override get source(): object {
    return this.exchange.transport;
  }

  override get urgency(): number {
    return this.exchange.transport.urgencyOf?.(this.exchange) ?? DEFAULT_URGENCY;
  }

  override get affinityKey(): string {
    const { affinity } = this.exchange.destination;
    return affinity === undefined ? '' : affinityKeyOf(affinity, this.exchange.fields);
  }

  override get label(): string {
    return labelOf(this.exchange);
  }

  override get particulars(): Particulars {
    return particularsOf(this.exchange, this.exchange.destination.route ?? '');
  }

  override get computeTimeoutMs(): number | null {
    return this.exchange.destination.computeTimeoutMs ?? null;
  }

  override get awaitsOnlyResponse(): boolean {
    return isUnanswered(this.exchange.progress) && (this.#content === null || this.#content.isEndSent);
  }

  override get isUnsent(): boolean {
    if (this.thread === null) return false;
    const { progress } = this.exchange;
    if (this.#news !== null && !this.#news.isNothing) return true;
    if (!isOver(progress) && this.#credit?.isDue === true) return true;
    return progress !== ExchangeState.Cut && this.#content?.isUnsent === true;
  }

  // ---- for the exchange

  /** For the diagnosis of stalled exchanges; null: there is no content, or none yet. */
  get flow(): ExchangeFlow {
    return { request: this.#content?.flow ?? null, response: this.#credit?.flow ?? null };
  }

  /** True if the application wants more of the request than has arrived. */
  get awaitsContent(): boolean {
    return this.#content?.isAwaited === true;
  }

  /** How long the job waited before its application began; null: no thread has the job. */
  get waits(): { readonly queueMs: number; readonly claimMs: number } | null {
    const { thread, slot, admittedAtMs, assignedAtMs } = this;
    if (thread?.vitals === undefined) return null;
    const claimUs = elapsed(clockMicroseconds(assignedAtMs), thread.vitals.begunUs(slot));
    return { queueMs: assignedAtMs - admittedAtMs, claimMs: claimUs / 1000 };
  }

  /** Called when content of the request has arrived. */
  takeContent(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const content = this.#contentOf();
    content.take(this.thread, this.slot, bytes, start, end, last);
    if (this.span !== null && content.isHeldBack) this.span.stall(Stall.Request);
    this.sendPending();
  }

  takeTrailers(fields: string[]): void {
    this.#contentOf().takeTrailers(fields);
    this.sendPending();
  }

  /** Drops the waiting request content, which is no longer wanted. */
  dropContent(): void {
    this.#content?.drop();
  }

  #contentOf(): RequestContent {
    this.#content ??= new RequestContent(true);
    return this.#content;
  }

  /** Called when response bytes have left for the peer. */
  onSent(bytes: number): void {
    const { thread } = this;
    const credit = this.#credit;
    if (thread === null || credit === null || !isAnswering(this.exchange.progress)) return;
    credit.sent(bytes);
    if (!credit.isDue) return;
    if (!this.#payCredit(thread, credit)) thread.waitForRoom(this);
    // The thread waits for this credit, and the reactor may be asleep when the socket accepts output.
    thread.requestTurn();
  }

  /** Tells the thread, if it has begun the job, that it need not continue. */
  abandon(code: number, by: ResetBy): void {
    if (this.state === 'idle' || this.state === 'released') return;
    if (this.exchange.destination.dispatcher?.withdraw(this) === true) return;
    this.#newsOf().reset(code, by);
    this.sendPending();
    this.thread?.requestTurn();
  }

  /**
   * The thread itself has asked for this job and waits for its slot.
   * @param number the thread's number for the push, in its slot `parentSlot`
   */
  promise(parentSlot: number, number: number): void {
    this.#newsOf().promise(parentSlot, number);
  }

  #newsOf(): ThreadNews {
    this.#news ??= new ThreadNews();
    return this.#news;
  }

  override onFollowed(thread: FollowingThread, slot: number, generation: number): void {
    this.#follower = { thread, slot, generation };
    if (isOver(this.exchange.progress)) this.tellFollower();
  }

  /** The exchange is over. A thread whose ring is full is not told. */
  tellFollower(): void {
    const follower = this.#follower;
    if (follower === null) return;
    this.#follower = null;
    const { thread, slot, generation } = follower;
    thread.channel.sendTimes(slot, generation, clockMicroseconds(), this.exchange.status);
    thread.requestTurn();
  }

  // ---- to the thread

  sendOpen(thread: OpeningThread, slot: number, generation: number): boolean {
    const { exchange } = this;
    const content = this.#content;
    const whole = content === null || content.isNothing;
    const flags = (whole ? Flag.End : 0) | (exchange.transport.openFlags?.(exchange) ?? 0);
    const admittedUs = clockMicroseconds(this.admittedAtMs);
    if (!exchange.openOn(thread.channel, slot, generation, flags, admittedUs)) return false;
    if (content !== null && !content.opened(thread, slot, whole)) thread.waitForRoom(this);
    return true;
  }

  /** Sends what waits for room in the ring or for credit. @returns false if the ring is full */
  sendPending(): boolean {
    const { thread } = this;
    if (thread === null) return true;
    const news = this.#news;
    if (news !== null && !news.isNothing) {
      // A thread that is told of the exchange's end does not need more of the request.
      const isReset = news.hasReset;
      if (!news.send(thread, this.slot)) return this.#waitForRoom(thread);
      if (isReset) return true;
    }
    if (this.exchange.progress === ExchangeState.Cut) return true;
    const credit = this.#credit;
    if (!this.#sendContent(thread)) return this.#waitForRoom(thread);
    if (credit?.isDue === true && !this.#payCredit(thread, credit)) return this.#waitForRoom(thread);
    return true;
  }

  #waitForRoom(thread: JobThread): false {
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
    // No more content will arrive, so the credit is not needed.
    if (isOver(this.exchange.progress)) return true;
    if (!thread.channel.sendCredit(this.slot, credit.owedBytes)) return false;
    credit.paid();
    if (this.span !== null) this.span.resume(Stall.Response);
    return true;
  }

  // ---- from the thread: the response

  onHead(
    flags: number,
    status: number,
    fields: readonly string[],
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { exchange } = this;
    if (!isUnanswered(exchange.progress)) return;
    const { transport } = exchange;
    if (this.span !== null) this.span.responded();
    exchange.status = status;
    if (status === SWITCHING_PROTOCOLS) {
      exchange.step(ExchangeInput.SendHead);
      this.#credit = new ResponseCredit(exchange.destination);
      transport.accept(exchange, fields);
      return;
    }
    if (status < 200 || status > 599) throw corrupt('a final status of 200 to 599', status);
    if ((flags & Flag.CloseConnection) !== 0) transport.closeConnection?.(exchange);
    const whole = (flags & Flag.End) !== 0;
    exchange.step(whole ? ExchangeInput.SendWhole : ExchangeInput.SendHead);
    exchange.responseBytes = end - start;
    if (!whole) this.#credit = new ResponseCredit(exchange.destination);
    if (end === start) {
      transport.respond(exchange, status, fields, whole);
    } else {
      transport.respond(exchange, status, fields, false);
      transport.write(exchange, bytes, start, end, true);
    }
    if (this.span !== null) this.#noteUntaken();
  }

  onInform(status: number, fields: string[]): void {
    const { exchange } = this;
    if (transition(exchange.progress, ExchangeInput.SendInform).effect === ExchangeEffect.Ignore) return;
    if (status < 100 || status > 199 || status === SWITCHING_PROTOCOLS)
      throw corrupt('an interim status, 100 or 102 to 199', status);
    exchange.transport.inform(exchange, status, fields);
  }

  onData(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { exchange } = this;
    const last = (flags & Flag.End) !== 0;
    const input = last ? ExchangeInput.SendEnd : ExchangeInput.SendContent;
    if (exchange.step(input) !== ExchangeEffect.Proceed) return;
    this.#credit?.hold(end - start);
    exchange.responseBytes += end - start;
    exchange.transport.write(exchange, bytes, start, end, last);
    if (this.span !== null) this.#noteUntaken();
  }

  onTrailers(fields: string[]): void {
    const { exchange } = this;
    if (exchange.step(ExchangeInput.SendEnd) !== ExchangeEffect.Proceed) return;
    exchange.transport.trailers(exchange, fields);
  }

  /** The application has used up its credit and has not finished. */
  #noteUntaken(): void {
    if (isAnswering(this.exchange.progress) && this.#credit?.isUsedUp === true)
      this.span?.stall(Stall.Response);
  }

  override onPad(toMultipleOf: number): void {
    const { exchange } = this;
    if (toMultipleOf > MAX_PADDED_BYTES) throw corrupt(`at most ${MAX_PADDED_BYTES} to pad to`, toMultipleOf);
    if (!isOver(exchange.progress)) exchange.transport.pad?.(exchange, toMultipleOf);
  }

  override onPush(number: number, method: string, path: string, fields: string[]): void {
    const { thread, exchange } = this;
    const { transport } = exchange;
    if (thread === null) return;
    const mayPush = !isOver(exchange.progress) && thread.canAdopt;
    const pushed = mayPush ? (transport.push?.(exchange, number, method, path, fields) ?? null) : null;
    if (pushed === null) {
      this.#newsOf().refusePush(number);
      this.sendPending();
    } else if (thread.adopt(pushed.job)) {
      pushed.job.sendPending();
    } else {
      transport.reset(pushed, INTERNAL_ERROR);
    }
  }

  // ---- from the thread: the request

  onCredit(granted: number, consumed: number): void {
    const { exchange } = this;
    if (this.#contentOf().grant(granted, consumed)) this.#inviteContent();
    if (consumed > 0 && !isOver(exchange.progress)) exchange.transport.consume(exchange, consumed);
    this.sendPending();
  }

  #inviteContent(): void {
    const { exchange } = this;
    if (exchange.progress !== ExchangeState.OpenUnanswered || exchange.version === '1.0') return;
    if (expectsContinue(exchange)) exchange.transport.inform(exchange, 100, NO_FIELDS);
  }

  // ---- how it ends

  onReset(code: number, reason: number): void {
    const hasThrown = reason === ResetReason.Threw;
    const outcome = hasThrown ? Outcome.Failed : Outcome.ResetByApplication;
    this.exchange.end(hasThrown ? ExchangeInput.Fail : ExchangeInput.SendReset, outcome, 500, code);
  }

  /**
   * Called when the thread sends nothing more for the job, because it is done or dead. A response that is incomplete by then stays
   * incomplete.
   */
  onReleased(): void {
    this.#content?.drop();
    this.#credit?.paid();
    this.exchange.end(ExchangeInput.GiveUp, Outcome.Lost, 502, INTERNAL_ERROR);
  }

  /** Handled like a deadline: the peer need not wait for the end of the thread, and the application notices if it checks its signal. */
  override onOverrun(): void {
    const effect = this.exchange.end(ExchangeInput.Fail, Outcome.TimedOut, 504, INTERNAL_ERROR);
    if (effect === ExchangeEffect.Answer) this.abandon(CANCEL, ResetBy.Server);
  }

  /** Handled like the end of a drain. */
  override onExpired(): void {
    this.exchange.cutOff();
  }

  onFault(error: unknown): void {
    this.exchange.transport.fail(this.exchange, error);
  }

  onRefused(refusal: Refusal, noThreadForMs: number): void {
    this.exchange.refuse(refusal, noThreadForMs);
  }
}
