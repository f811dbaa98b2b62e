/**
 * One exchange in the thread that runs it: the application's view on one side, ring messages on the other.
 *
 * A response that is whole goes straight into the ring. Whatever has to wait does so in a queue (`ResponseQueue`), which is made
 * when there is something for it. What comes behind the request's head is received by an `IncomingRequest`.
 *
 * It ends for the reactor with one FINAL message, sent as soon as the response is out and the request is in; after it
 * nothing more is sent on the slot. It ends for the application when its function has returned as well.
 */
import { AsyncResource } from 'node:async_hooks';
import { clockMicroseconds } from '../wire/clock.ts';
import { Flag, ResetReason } from '../wire/messages.ts';
import { capabilitiesOf, NOTHING_WITHHELD, requireFeatures } from './capabilities.ts';
import { ExchangeClosedError, HostError } from './errors.ts';
import { offered } from './extensions.ts';
import {
  contentLengthOf,
  flatten,
  flattenTrailers,
  requireNoContentLength,
  withContentLength,
} from './fields/sent.ts';
import type {
  Application,
  Capabilities,
  Closed,
  Exchange,
  ExchangeRequest,
  ExtensionKey,
  Feature,
  Fields,
  FieldsInit,
  PushedResponse,
  PushRequest,
  Withheld,
} from './gateway.ts';
import { IncomingRequest, type Receiver } from './incoming-request.ts';
import type { Outlet } from './outlet.ts';
import { type PendingPush, Pushes, pendingPush, requireFits } from './pushes.ts';
import { backlog, refusal, unheard } from './refusals.ts';
import type { RequestBody } from './request-body.ts';
import { MAX_QUEUED_MESSAGES, type MessageKind, ResponseQueue, type Sender } from './response-queue.ts';
import {
  isBodiless,
  lacksLength,
  requireFit,
  requireLength,
  requireNoTunnelContent,
  requireRefusalOfTunnel,
} from './response-rules.ts';
import { HostedTunnel } from './tunnel.ts';
import {
  contentOf,
  requireFinalStatus,
  requireInterimStatus,
  requirePadding,
  requireResetCode,
} from './values.ts';

/** `idle` → `started` (head) → `ending` (complete, some of it still queued) → `ended`; `cut` from any but `ended`. */
type ResponseState = 'idle' | 'started' | 'ending' | 'ended' | 'cut';

const NO_BYTES = new Uint8Array(0);
const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;
/** In HEAD: the tunnel is accepted. What the peer gets is its protocol's word for that. */
const SWITCHING_PROTOCOLS = 101;
const TOO_LARGE_FIELDS = Object.freeze({ 'content-type': 'text/plain; charset=utf-8' });
const COMPLETE: Closed = Object.freeze({ by: 'application', how: 'complete', code: 0 });
const FAILED: Closed = Object.freeze({ by: 'application', how: 'reset', code: INTERNAL_ERROR });

export class HostedExchange implements Exchange, Sender, Receiver {
  readonly request: ExchangeRequest;
  readonly slot: number;
  readonly #outlet: Outlet<HostedExchange>;
  readonly #takesPushes: boolean;
  readonly #isHead: boolean;

  #response: ResponseState = 'idle';
  /** The response has no content whatever the application writes: HEAD, 204, 304 (RFC 9110 section 6.4.1). */
  #bodiless = false;
  /** Content-Length still to be written; -1 when the application declared none. */
  #declaredBytes = -1;
  #closesConnection = false;
  /** Null: nothing has had to wait. */
  #queue: ResponseQueue<HostedExchange> | null = null;
  /** Null: the request was whole with its head, and nobody has looked. */
  #incoming: IncomingRequest | null;
  /** Set by the outlet with the FINAL message, which must not be sent twice: the slot may serve another exchange by then. */
  isFinalSent = false;
  /** The outlet's, to know by. */
  begunIn = -1;
  #final = false;
  #settled = false;
  #closed: Closed | null = null;
  #failure: unknown = null;

  #abort: AbortController | null = null;
  #drain: AbortController | null = null;
  #tunnel: HostedTunnel | null = null;
  #whenClosed: PromiseWithResolvers<Closed> | null = null;
  #pushes: Pushes | null = null;
  /**
   * The async context of this exchange alone. The host calls all exchanges from one turn of its loop: whatever the application
   * enters (`AsyncLocalStorage.enterWith`) in the turn's own context would be the next exchange's.
   */
  readonly #context = new AsyncResource('SLUICE_EXCHANGE');

  constructor(
    outlet: Outlet<HostedExchange>,
    slot: number,
    request: ExchangeRequest,
    requestEnded: boolean,
    takesPushes = false,
    receivedAtUs = 0,
    startedAtUs = clockMicroseconds(),
  ) {
    this.receivedAtUs = receivedAtUs;
    this.startedAtUs = startedAtUs;
    this.#outlet = outlet;
    this.slot = slot;
    this.request = request;
    this.#takesPushes = takesPushes;
    this.#isHead = request.method === 'HEAD';
    this.#incoming = requestEnded
      ? null
      : new IncomingRequest(this, outlet.options.requestWindowBytes, false);
  }

  // ---- the application's side

  get capabilities(): Capabilities {
    return capabilitiesOf(this.request.version, this.#takesPushes, this.#asksForTunnel);
  }

  get withheld(): readonly Withheld[] {
    return NOTHING_WITHHELD;
  }

  require(...features: readonly Feature[]): void {
    requireFeatures(this, features);
  }

  extension<T>(key: ExtensionKey<T>): T | null {
    return offered(key, this);
  }

  /** When the request's head had come and when the application began: `clockMicroseconds` of wire/clock.ts. */
  readonly receivedAtUs: number;
  readonly startedAtUs: number;

  pad(toMultipleOf: number): void {
    requirePadding(toMultipleOf);
    if (!this.capabilities.padding || this.#response === 'ended' || this.#response === 'cut') return;
    if (this.#isQueueFull) {
      throw backlog(`${MAX_QUEUED_MESSAGES} messages wait to be sent and that is the limit`);
    }
    this.#send('pad', toMultipleOf, null, null, false, null);
  }

  closeConnection(): void {
    this.#closesConnection = true;
  }

  get body(): RequestBody {
    return this.#received.body;
  }

  get trailers(): Promise<Fields> {
    return this.#received.trailers;
  }

  get #received(): IncomingRequest {
    this.#incoming ??= new IncomingRequest(this, this.#outlet.options.requestWindowBytes, true);
    return this.#incoming;
  }

  inform(status: number, fields?: FieldsInit): void {
    this.#mustBeIdle();
    requireInterimStatus(status);
    if (this.#isQueueFull) {
      throw backlog(`${MAX_QUEUED_MESSAGES} interim responses wait to be sent and that is the limit`);
    }
    const flat = this.#flatten(fields);
    requireNoContentLength(flat);
    requireFit(flat, this.#outlet.maxHeadBytes);
    this.#send('inform', status, flat, null, false, null);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    if (this.#asksForTunnel) requireRefusalOfTunnel(status);
    const flat = this.#flatten(fields);
    const headBytes = requireFit(flat, this.#outlet.maxHeadBytes);
    const declared = contentLengthOf(flat);
    const hasNoBody = isBodiless(this.#isHead, status);
    if (body === undefined) {
      this.#bodiless = hasNoBody;
      this.#declaredBytes = hasNoBody ? -1 : declared;
      this.#response = 'started';
      this.#send('head', status, flat, null, false, null);
      return;
    }
    const bytes = contentOf(body, 'a body');
    requireLength(declared, bytes.length, status);
    const head = lacksLength(declared, status) ? withContentLength(flat, bytes.length) : flat;
    this.#response = 'ending';
    if (hasNoBody || bytes.length === 0) {
      this.#send('head', status, head, NO_BYTES, true, null);
    } else if (
      bytes.length <= this.#credit &&
      bytes.length <= this.#outlet.maxDataBytes &&
      bytes.length + headBytes <= this.#outlet.maxHeadBytes
    ) {
      this.#send('head', status, head, bytes, true, null);
    } else {
      this.#send('head', status, head, null, false, null);
      this.#send('data', 0, null, bytes, true, null);
    }
  }

  async push(request: PushRequest): Promise<PushedResponse | null> {
    const pending = pendingPush(request);
    requireFits(pending, this.#outlet.maxHeadBytes);
    if (this.#response !== 'idle' && this.#response !== 'started') {
      const error = this.#notWritable();
      // The peer has gone, which is no mistake of the application's.
      if (error instanceof ExchangeClosedError) return null;
      throw error;
    }
    if (!this.#takesPushes) return null;
    this.#pushes ??= new Pushes(() => this.#finishIfOver());
    if (this.#pushes.pendingCount >= MAX_QUEUED_MESSAGES) {
      throw backlog(`${MAX_QUEUED_MESSAGES} pushes wait for their answer and that is the limit`);
    }
    const number = this.#outlet.nextPushNumber();
    this.#pushes.add(number, pending);
    this.#send('push', number, null, null, false, null);
    return pending.answer.promise;
  }

  accept(fields?: FieldsInit): HostedTunnel {
    if (!this.#asksForTunnel) {
      throw new HostError(
        'SLUICE_NOT_A_TUNNEL',
        `expected a request for a tunnel (CONNECT or a protocol), got ${this.request.method} without a protocol`,
      );
    }
    this.#mustBeIdle();
    const flat = this.#flatten(fields);
    requireFit(flat, this.#outlet.maxHeadBytes);
    requireNoTunnelContent(flat);
    this.#response = 'started';
    this.#tunnel = new HostedTunnel(this);
    this.#send('head', SWITCHING_PROTOCOLS, flat, null, false, null);
    return this.#tunnel;
  }

  get #asksForTunnel(): boolean {
    return this.request.protocol !== '' || this.request.method === 'CONNECT';
  }

  write(chunk: Uint8Array | string): Promise<void> {
    if (this.#response !== 'started') return refusal(this.#notWritable());
    const bytes = contentOf(chunk, 'a piece');
    if (this.#bodiless || bytes.length === 0) return Promise.resolve();
    if (this.#declaredBytes !== -1 && bytes.length > this.#declaredBytes) {
      return Promise.reject(
        new HostError(
          'SLUICE_FIELD_INVALID',
          `expected at most ${this.#declaredBytes} more bytes, as content-length declared, got ${bytes.length}`,
        ),
      );
    }
    const limit = this.#outlet.options.writeBacklogBytes;
    const waiting = this.#queue?.bytes ?? 0;
    if (waiting > 0 && waiting + bytes.length > limit) {
      return this.#refuseWrite(`${waiting} bytes wait to be sent and the limit is ${limit}`);
    }
    if (this.#isQueueFull) {
      return this.#refuseWrite(`${MAX_QUEUED_MESSAGES} pieces wait to be sent and that is the limit`);
    }
    if (this.#declaredBytes !== -1) this.#declaredBytes -= bytes.length;
    const written = Promise.withResolvers<void>();
    this.#send('data', 0, null, bytes, false, written);
    return written.promise;
  }

  /**
   * Sends a piece in one message, without a promise. False: it would wait, for credit, for room or behind another, and nothing was
   * sent. For tunnels, whose pieces were counted by nobody before.
   */
  tryWrite(bytes: Uint8Array): boolean {
    if (this.#response !== 'started' || this.#bodiless || this.#declaredBytes !== -1) return false;
    return this.#queueOf().tryData(bytes);
  }

  /**
   * A piece is lost: whatever followed, an `end` above all, would pass a body with a hole off as whole. The rejection may go
   * unheard, as the application did not wait before; the host reports it when the function is over.
   */
  #refuseWrite(found: string): Promise<never> {
    const error = backlog(found);
    this.#failure = error;
    this.#cut(FAILED, INTERNAL_ERROR, ResetReason.Threw);
    return unheard(error);
  }

  end(trailers?: FieldsInit): void {
    if (this.#response !== 'started') throw this.#notWritable();
    if (this.#declaredBytes > 0) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        `expected ${this.#declaredBytes} more bytes before the end, as content-length declared`,
      );
    }
    const flat = flattenTrailers(trailers);
    // What gives the lines is the application's, and may have called us.
    if (this.#response !== 'started') throw this.#notWritable();
    requireFit(flat, this.#outlet.maxHeadBytes);
    this.#response = 'ending';
    if (flat.length > 0 && !this.#isHead) this.#send('trailers', 0, flat, null, true, null);
    else this.#send('data', 0, null, NO_BYTES, true, null);
  }

  reset(code: number = CANCEL): void {
    requireResetCode(code);
    this.#cut({ by: 'application', how: 'reset', code }, code, ResetReason.Application);
  }

  get writableBytes(): number {
    return this.#response === 'started' ? Math.max(0, this.#credit - (this.#queue?.bytes ?? 0)) : 0;
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#closed !== null && this.#closed.how === 'reset') {
        this.#abort.abort(new ExchangeClosedError(this.#closed));
      }
    }
    return this.#abort.signal;
  }

  get draining(): AbortSignal {
    if (this.#drain === null) {
      this.#drain = new AbortController();
      if (this.#outlet.isDraining) this.#drain.abort();
    }
    return this.#drain.signal;
  }

  get closed(): Promise<Closed> {
    if (this.#whenClosed === null) {
      this.#whenClosed = Promise.withResolvers();
      if (this.#closed !== null) this.#whenClosed.resolve(this.#closed);
    }
    return this.#whenClosed.promise;
  }

  /** Leaving the scope of an exchange that is not complete resets it, so that nothing is left open by an early return. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#response === 'idle' || this.#response === 'started') this.reset();
    // Nobody reads on behind this scope: a request that is still coming must not hold its end up.
    this.#settled = true;
    this.#finishIfOver();
    return this.closed.then(() => undefined);
  }

  /** What gives the lines is the application's: it may throw, and it may have called us, so that the response is another now. */
  #flatten(fields: FieldsInit | undefined): readonly string[] {
    const flat = flatten(fields);
    this.#mustBeIdle();
    return flat;
  }

  #mustBeIdle(): void {
    if (this.#response === 'idle') return;
    if (this.#closed !== null && this.#closed.how === 'reset') throw new ExchangeClosedError(this.#closed);
    throw new HostError(
      'SLUICE_RESPONSE_STARTED',
      'expected no response yet, its head has been sent already',
    );
  }

  #notWritable(): HostError {
    if (this.#closed !== null && this.#closed.how === 'reset') return new ExchangeClosedError(this.#closed);
    return this.#response === 'idle'
      ? new HostError('SLUICE_RESPONSE_NOT_STARTED', 'expected respond() before write() and end()')
      : new HostError('SLUICE_RESPONSE_ENDED', 'expected nothing after the end of the response');
  }

  // ---- the host's side

  /** What `accept` gave, if it was called. */
  get tunnel(): HostedTunnel | null {
    return this.#tunnel;
  }

  /** Calls the application's function on this exchange, in the exchange's own async context. */
  begin(application: Application): unknown {
    return this.#context.runInAsyncScope(application, undefined, this);
  }

  onDraining(): void {
    if (this.#drain !== null) this.#abortInContext(this.#drain);
  }

  /** Listeners of a signal run within `abort`, and the host calls those of many exchanges in one turn. */
  #abortInContext(controller: AbortController, reason?: unknown): void {
    this.#context.runInAsyncScope(controller.abort, controller, reason);
  }

  /** The promised responses, if any was asked for. */
  get pushes(): Pushes | null {
    return this.#pushes;
  }

  /** True while the reactor holds the slot for this exchange. */
  get isOpen(): boolean {
    return !this.#final;
  }

  onData(bytes: Uint8Array, end: boolean): void {
    this.#incoming?.onData(bytes, end);
  }

  onTrailers(flat: readonly string[]): void {
    this.#incoming?.onTrailers(flat);
  }

  onRequestEnded(): void {
    this.#finishIfOver();
  }

  onCredit(bytes: number): void {
    if (!this.#final) this.#queueOf().grant(bytes);
  }

  onReset(code: number, by: Closed['by']): void {
    this.#cut({ by, how: 'reset', code }, code, ResetReason.Application);
  }

  /** What the exchange was reset for, and the application need not have heard; null: nothing. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The application's function has returned. False: it has failed. */
  onReturn(): boolean {
    this.#settled = true;
    if (this.#failure !== null) return false;
    if (this.#response === 'idle' || this.#response === 'started') return false;
    this.#finishIfOver();
    return true;
  }

  /** The application threw, or returned without a complete response: 500 if nothing was sent, else a reset. */
  onFailure(): void {
    this.#settled = true;
    this.#cut(FAILED, INTERNAL_ERROR, ResetReason.Threw);
  }

  /** The application wanted no more of a body than has come, and threw: 413. False: a response has begun, and it has failed. */
  refuseContent(): boolean {
    if (this.#response !== 'idle' || this.#closed !== null) return false;
    this.respond(413, TOO_LARGE_FIELDS, '413 Content Too Large\n');
    return this.onReturn();
  }

  onOwing(): void {
    this.#outlet.owes(this);
  }

  /** See `IncomingRequest`. */
  get owesMuch(): boolean {
    return this.#incoming?.owesMuch(this.#outlet.options.creditEveryBytes) === true;
  }

  /** Something is to be sent, and only room in the ring may be missing. */
  get isUnsent(): boolean {
    if (this.#final) return false;
    if (this.#queue !== null && this.#queue.length > 0) return this.#queue.isUnsent;
    return this.#incoming?.isOwing === true;
  }

  /** Sends what is owed to the peer for consumed bytes. */
  payCredit(): void {
    const incoming = this.#incoming;
    if (this.#final || incoming === null || !incoming.isOwing) return;
    if (this.#outlet.sendCredit(this, incoming.owedGranted, incoming.owedConsumed)) incoming.paid();
  }

  // ---- sending

  #send(
    kind: MessageKind,
    status: number,
    fields: readonly string[] | null,
    bytes: Uint8Array | null,
    end: boolean,
    written: PromiseWithResolvers<void> | null,
  ): void {
    try {
      // The short way: no queue when the message can go at once.
      if (kind === 'head' && (this.#queue === null || this.#queue.length === 0)) {
        if (this.#trySendHead(status, fields as readonly string[], bytes, end)) return;
      }
      this.#queueOf().add(kind, status, fields, bytes, end, written);
    } catch (error) {
      // An error of ours, or an application that recurses is at its stack's end: what would follow belongs to no whole message. So
      // the exchange fails, whether the application hears of it or not.
      this.#failure ??= error;
      this.#response = 'cut';
      this.#closed ??= FAILED;
      try {
        this.#cut(FAILED, INTERNAL_ERROR, ResetReason.Threw);
      } catch {
        // There is no stack for that either. The host does it when the function is over, as there is a failure.
      }
      throw error;
    }
  }

  #trySendHead(status: number, fields: readonly string[], bytes: Uint8Array | null, end: boolean): boolean {
    const body = bytes !== null && bytes.length > 0 ? bytes : null;
    if (!this.#outlet.sendHead(this, this.headFlags(end), status, fields, body)) return false;
    if (end) this.onResponseSent();
    return true;
  }

  #queueOf(): ResponseQueue<HostedExchange> {
    this.#queue ??= new ResponseQueue<HostedExchange>(this, this.#outlet);
    return this.#queue;
  }

  get #isQueueFull(): boolean {
    return this.#queue !== null && this.#queue.length >= MAX_QUEUED_MESSAGES;
  }

  /** Content that may go. */
  get #credit(): number {
    return this.#queue === null ? this.#outlet.options.responseWindowBytes : this.#queue.credit;
  }

  headFlags(end: boolean): number {
    const flags = end ? this.endFlags() : 0;
    return this.#closesConnection ? flags | Flag.CloseConnection : flags;
  }

  endFlags(): number {
    return this.#isRequestOpen || this.#awaitsPromise ? Flag.End : Flag.End | Flag.Final;
  }

  pendingPush(number: number): PendingPush | undefined {
    return this.#pushes?.pending(number);
  }

  get #isRequestOpen(): boolean {
    return this.#incoming?.isOpen === true;
  }

  /** The reactor has yet to say whether it has promised: a response that is complete before that is no reason to have asked in vain. */
  get #awaitsPromise(): boolean {
    return this.#pushes !== null && this.#pushes.pendingCount > 0;
  }

  /** Sends what waits, as far as it can. @throws as `ResponseQueue.pump` */
  pump(): void {
    this.#queue?.pump();
  }

  onResponseSent(): void {
    if (this.#response !== 'ending') return;
    this.#response = 'ended';
    if (!this.#isRequestOpen && !this.#awaitsPromise) this.#finish(COMPLETE);
    else this.#finishIfOver();
  }

  /** With the response out: over when the request is in, or when nobody is left to read it. */
  #finishIfOver(): void {
    if (this.#response !== 'ended' || this.#final || this.#awaitsPromise) return;
    if (this.#isRequestOpen && !this.#settled) return;
    if (!this.isFinalSent) this.#outlet.sendClosed(this);
    this.#finish(COMPLETE);
  }

  #cut(closed: Closed, code: number, reason: ResetReason): void {
    if (this.#final) return;
    this.#queue?.stop();
    this.#response = 'cut';
    if (!this.isFinalSent) this.#outlet.sendReset(this, Flag.Final, code, reason);
    this.#finish(closed);
  }

  /** The FINAL message is out (or waits in the outlet): the slot is the reactor's again. */
  #finish(closed: Closed): void {
    this.#outlet.finished(this);
    this.#final = true;
    this.#closed = closed;
    this.#pushes?.abandon();
    if (closed.how === 'complete') {
      this.#queue?.drop(null);
      if (this.#isRequestOpen) this.#incoming?.close(new ExchangeClosedError(closed));
    } else {
      const error = new ExchangeClosedError(closed);
      this.#incoming?.cut(error);
      this.#queue?.drop(error);
      if (this.#abort !== null) this.#abortInContext(this.#abort, error);
    }
    this.#whenClosed?.resolve(closed);
  }
}
