/**
 * One exchange in the thread that runs it: the application's view on one side, ring messages on the other.
 *
 * Everything to be sent goes through one queue in order. Most exchanges never use it: while the ring has room and the
 * response has credit, a message is written straight into the ring. What cannot go now waits, and leaves in
 * `pump` when credit comes or the ring has room again.
 *
 * It ends for the reactor with one FINAL message, sent as soon as the response is out and the request is in; after it
 * nothing more is sent on the slot. It ends for the application when its function has returned as well.
 */
import { AsyncResource } from 'node:async_hooks';
import { clockMicroseconds } from '../wire/clock.ts';
import { fieldsBound } from '../wire/encoder.ts';
import { Flag, ResetReason } from '../wire/messages.ts';
import { capabilitiesOf, NOTHING_WITHHELD, requireFeatures } from './capabilities.ts';
import { ExchangeClosedError, HostError } from './errors.ts';
import { offered } from './extensions.ts';
import { ReceivedFields } from './fields/received.ts';
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
import type { Outlet } from './outlet.ts';
import { Pushes, pendingPush, requireFits } from './pushes.ts';
import { RequestBody } from './request-body.ts';
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
type RequestState = 'open' | 'ended' | 'cut';

/** One queued message. */
interface Queued {
  readonly kind: 'head' | 'inform' | 'data' | 'trailers' | 'push' | 'pad';
  /** Of a push its number, of a pad what to pad to a multiple of. */
  readonly status: number;
  readonly fields: readonly string[] | null;
  readonly bytes: Uint8Array | null;
  /** How many there were: memory that is transferred or shrinks takes bytes back. */
  readonly length: number;
  offset: number;
  readonly end: boolean;
  /** The `write` that waits for it. */
  readonly written: PromiseWithResolvers<void> | null;
}

const NO_BYTES = new Uint8Array(0);
/** What most exchanges have all their life; nobody pushes to it. */
const NOTHING_QUEUED: Queued[] = [];
const EMPTY_FIELDS = new ReceivedFields(Object.freeze([]) as readonly string[]);
const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;
/** In HEAD: the tunnel is accepted. What the peer gets is its protocol's word for that. */
const SWITCHING_PROTOCOLS = 101;
/** Messages that may wait for the ring or for credit; an application that never waits meets this. */
const MAX_QUEUED_MESSAGES = 1024;
const TOO_LARGE_FIELDS = Object.freeze({ 'content-type': 'text/plain; charset=utf-8' });
const COMPLETE: Closed = Object.freeze({ by: 'application', how: 'complete', code: 0 });
const FAILED: Closed = Object.freeze({ by: 'application', how: 'reset', code: INTERNAL_ERROR });

export class HostedExchange implements Exchange {
  readonly request: ExchangeRequest;
  readonly slot: number;
  readonly #outlet: Outlet;
  readonly #takesPushes: boolean;
  readonly #isHead: boolean;

  #response: ResponseState = 'idle';
  #requestState: RequestState;
  /** The response has no content whatever the application writes: HEAD, 204, 304 (RFC 9110 section 6.4.1). */
  #bodiless = false;
  /** Content-Length still to be written; -1 when the application declared none. */
  #declaredBytes = -1;
  #closesConnection = false;
  #credit: number;
  #isStalled = false;
  #queue = NOTHING_QUEUED;
  #queuedBytes = 0;
  #owedGranted = 0;
  #owedConsumed = 0;
  /** Set by the outlet with the FINAL message, which must not be sent twice: the slot may serve another exchange by then. */
  isFinalSent = false;
  /** The outlet's, to know by. */
  begunIn = -1;
  #final = false;
  #settled = false;
  #closed: Closed | null = null;
  #failure: unknown = null;

  #body: RequestBody | null = null;
  #trailerFields: Fields = EMPTY_FIELDS;
  #trailers: PromiseWithResolvers<Fields> | null = null;
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
    outlet: Outlet,
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
    this.#requestState = requestEnded ? 'ended' : 'open';
    this.#credit = outlet.options.responseWindowBytes;
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
    if (this.#queue.length >= MAX_QUEUED_MESSAGES) {
      throw this.#backlog(`${MAX_QUEUED_MESSAGES} messages wait to be sent and that is the limit`);
    }
    this.#send('pad', toMultipleOf, null, null, false, null);
  }

  closeConnection(): void {
    this.#closesConnection = true;
  }

  get body(): RequestBody {
    this.#body ??= this.#makeBody();
    return this.#body;
  }

  #makeBody(): RequestBody {
    const body = new RequestBody(
      this,
      this.#outlet.options.requestWindowBytes,
      this.#requestState === 'ended',
    );
    if (this.#requestState === 'cut') body.cut(new ExchangeClosedError(this.#closed ?? COMPLETE));
    return body;
  }

  get trailers(): Promise<Fields> {
    if (this.#trailers === null) {
      this.#trailers = Promise.withResolvers();
      // Nobody need look at it: a cut request is reported by the body and by the signal.
      this.#trailers.promise.catch(() => undefined);
      if (this.#requestState === 'ended') this.#trailers.resolve(this.#trailerFields);
      else if (this.#requestState === 'cut')
        this.#trailers.reject(new ExchangeClosedError(this.#closed ?? COMPLETE));
    }
    return this.#trailers.promise;
  }

  inform(status: number, fields?: FieldsInit): void {
    this.#mustBeIdle();
    requireInterimStatus(status);
    if (this.#queue.length >= MAX_QUEUED_MESSAGES) {
      throw this.#backlog(`${MAX_QUEUED_MESSAGES} interim responses wait to be sent and that is the limit`);
    }
    const flat = this.#flatten(fields);
    requireNoContentLength(flat);
    this.#requireFits(flat);
    this.#send('inform', status, flat, null, false, null);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    if (status < 300 && this.#asksForTunnel) {
      throw new HostError(
        'SLUICE_STATUS_INVALID',
        `expected accept(), or a status of 300 or above that refuses the tunnel (RFC 9110 section 9.3.6), got ${status}`,
      );
    }
    const flat = this.#flatten(fields);
    const headBytes = this.#requireFits(flat);
    const declared = contentLengthOf(flat);
    const isBodiless = this.#isHead || status === 204 || status === 304;
    if (body === undefined) {
      this.#bodiless = isBodiless;
      this.#declaredBytes = isBodiless ? -1 : declared;
      this.#response = 'started';
      this.#send('head', status, flat, null, false, null);
      return;
    }
    const bytes = contentOf(body, 'a body');
    if (declared !== -1 && declared !== bytes.length && status !== 304) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        `expected content-length ${bytes.length}, the length of the body, got ${declared}`,
      );
    }
    // RFC 9110 section 8.6: never in a 204; in a 304 it would speak of another representation.
    const head =
      declared === -1 && status !== 204 && status !== 304 ? withContentLength(flat, bytes.length) : flat;
    this.#response = 'ending';
    if (isBodiless || bytes.length === 0) {
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
      throw this.#backlog(`${MAX_QUEUED_MESSAGES} pushes wait for their answer and that is the limit`);
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
    this.#requireFits(flat);
    if (contentLengthOf(flat) !== -1) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        'expected no content-length: a tunnel has no content (RFC 9110 section 9.3.6)',
      );
    }
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
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes.length > limit) {
      return this.#refuseWrite(`${this.#queuedBytes} bytes wait to be sent and the limit is ${limit}`);
    }
    if (this.#queue.length >= MAX_QUEUED_MESSAGES) {
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
    const { length } = bytes;
    if (this.#response !== 'started' || this.#queue.length > 0 || this.#bodiless) return false;
    if (length === 0 || length > this.#credit || length > this.#outlet.maxDataBytes) return false;
    if (this.#declaredBytes !== -1 || !this.#outlet.sendData(this, 0, bytes, 0, length)) return false;
    this.#credit -= length;
    return true;
  }

  /**
   * A piece is lost: whatever followed, an `end` above all, would pass a body with a hole off as whole. The rejection may go
   * unheard, as the application did not wait before; the host reports it when the function is over.
   */
  #refuseWrite(found: string): Promise<never> {
    const error = this.#backlog(found);
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
    this.#requireFits(flat);
    this.#response = 'ending';
    if (flat.length > 0 && !this.#isHead) this.#send('trailers', 0, flat, null, true, null);
    else this.#send('data', 0, null, NO_BYTES, true, null);
  }

  reset(code: number = CANCEL): void {
    requireResetCode(code);
    this.#cut({ by: 'application', how: 'reset', code }, code, ResetReason.Application);
  }

  get writableBytes(): number {
    return this.#response === 'started' ? Math.max(0, this.#credit - this.#queuedBytes) : 0;
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

  /**
   * The room that fields take in a message, at most; it is claimed before they are written.
   * @throws HostError `SLUICE_FIELD_INVALID` when no message could carry them
   */
  #requireFits(flat: readonly string[]): number {
    const bytes = fieldsBound(flat);
    if (bytes <= this.#outlet.maxHeadBytes) return bytes;
    throw new HostError(
      'SLUICE_FIELD_INVALID',
      `expected fields that take at most ${this.#outlet.maxHeadBytes} bytes, three for each character and ten for each line (see the pool's ringBytes), got ${bytes}`,
    );
  }

  #backlog(found: string): HostError {
    return new HostError(
      'SLUICE_WRITE_BACKLOG',
      `expected an application that awaits what it sends, as in \`await exchange.write(…)\`: ${found}`,
    );
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
    if (this.#requestState !== 'open') return;
    if (bytes.length > 0) this.body.push(bytes);
    if (end) this.#endRequest();
  }

  onTrailers(flat: readonly string[]): void {
    if (this.#requestState !== 'open') return;
    this.#trailerFields = new ReceivedFields(flat);
    this.#endRequest();
  }

  #endRequest(): void {
    this.#requestState = 'ended';
    this.#body?.end();
    this.#trailers?.resolve(this.#trailerFields);
    this.#finishIfOver();
  }

  onCredit(bytes: number): void {
    this.#credit += bytes;
    this.#endStall();
    this.pump();
  }

  #beginStall(): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
    this.#outlet.stalled(this);
  }

  #endStall(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#outlet.unstalled(this);
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

  /** CreditSink of the body. */
  credit(granted: number, consumed: number): void {
    if (this.#final || this.#requestState !== 'open') {
      // After the end of the request nothing more will cross; what is still unread is given back by the reactor.
      if (this.#final) return;
      this.#owedConsumed += consumed;
    } else {
      this.#owedGranted += granted;
      this.#owedConsumed += consumed;
    }
    this.#outlet.owes(this);
  }

  /** The first grant, which lets the request cross at all; later, a part of the windows. */
  get owesMuch(): boolean {
    return (
      this.#owedGranted > this.#owedConsumed || this.#owedConsumed >= this.#outlet.options.creditEveryBytes
    );
  }

  /** Something is to be sent, and only room in the ring may be missing. */
  get isUnsent(): boolean {
    if (this.#final) return false;
    const next = this.#queue[0];
    if (next !== undefined) return next.kind !== 'data' || this.#credit > 0 || next.bytes?.length === 0;
    return this.#owedGranted > 0 || this.#owedConsumed > 0;
  }

  /** Sends what is owed to the peer for consumed bytes. */
  payCredit(): void {
    if (this.#final || (this.#owedGranted === 0 && this.#owedConsumed === 0)) return;
    if (!this.#outlet.sendCredit(this, this.#owedGranted, this.#owedConsumed)) return;
    this.#owedGranted = 0;
    this.#owedConsumed = 0;
  }

  // ---- sending

  #send(
    kind: Queued['kind'],
    status: number,
    fields: readonly string[] | null,
    bytes: Uint8Array | null,
    end: boolean,
    written: PromiseWithResolvers<void> | null,
  ): void {
    try {
      // The short way: no queue object when the message can go at once.
      if (this.#queue.length === 0 && kind === 'head') {
        if (this.#trySendHead(status, fields as readonly string[], bytes, end)) return;
      }
      const length = bytes === null ? 0 : bytes.length;
      if (this.#queue === NOTHING_QUEUED) this.#queue = [];
      this.#queue.push({ kind, status, fields, bytes, length, offset: 0, end, written });
      if (kind === 'data') this.#queuedBytes += length;
      if (this.#queue.length === 1) this.pump();
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
    if (!this.#outlet.sendHead(this, this.#headFlags(end), status, fields, body)) return false;
    if (body !== null) this.#credit -= body.length;
    if (end) this.#responseEnded();
    return true;
  }

  #headFlags(end: boolean): number {
    return this.#closesConnection ? this.#flags(end) | Flag.CloseConnection : this.#flags(end);
  }

  #flags(end: boolean): number {
    if (!end) return 0;
    return this.#requestState === 'ended' && !this.#awaitsPromise ? Flag.End | Flag.Final : Flag.End;
  }

  /** The reactor has yet to say whether it has promised: a response that is complete before that is no reason to have asked in vain. */
  get #awaitsPromise(): boolean {
    return this.#pushes !== null && this.#pushes.pendingCount > 0;
  }

  /**
   * Sends what the ring's room and the response's credit allow.
   * @throws HostError `SLUICE_VALUE_INVALID` when bytes that wait have gone: the exchange is to fail
   */
  pump(): void {
    while (this.#queue.length > 0 && !this.#final) {
      const item = this.#queue[0] as Queued;
      if (item.bytes !== null && item.bytes.length !== item.length) throw bytesGone(item.bytes, item.length);
      if (!this.#sendQueued(item)) return;
      this.#queue.shift();
      item.written?.resolve();
      if (item.end) this.#responseEnded();
    }
  }

  #sendQueued(item: Queued): boolean {
    switch (item.kind) {
      case 'head': {
        const body = item.bytes !== null && item.bytes.length > 0 ? item.bytes : null;
        if (!this.#outlet.sendHead(this, this.#headFlags(item.end), item.status, item.fields ?? [], body))
          return false;
        if (body !== null) this.#credit -= body.length;
        return true;
      }
      case 'push': {
        const push = this.#pushes?.pending(item.status);
        // Nobody waits for it any more.
        if (push === undefined) return true;
        return this.#outlet.sendPush(this, item.status, push.method, push.path, push.fields);
      }
      case 'pad':
        return this.#outlet.sendPad(this, item.status);
      case 'inform':
        return this.#outlet.sendInform(this, item.status, item.fields ?? []);
      case 'trailers':
        return this.#outlet.sendTrailers(this, this.#flags(true) & Flag.Final, item.fields ?? []);
      case 'data':
        return this.#sendData(item);
    }
  }

  #sendData(item: Queued): boolean {
    const bytes = item.bytes as Uint8Array;
    if (bytes.length === 0) return this.#outlet.sendData(this, this.#flags(item.end), bytes, 0, 0);
    while (item.offset < bytes.length) {
      if (this.#credit <= 0) {
        this.#beginStall();
        return false;
      }
      const end = Math.min(bytes.length, item.offset + Math.min(this.#credit, this.#outlet.maxDataBytes));
      const last = end === bytes.length && item.end;
      if (!this.#outlet.sendData(this, last ? this.#flags(true) : 0, bytes, item.offset, end)) return false;
      const sent = end - item.offset;
      item.offset = end;
      this.#credit -= sent;
      this.#queuedBytes -= sent;
    }
    return true;
  }

  #responseEnded(): void {
    if (this.#response !== 'ending') return;
    this.#response = 'ended';
    if (this.#requestState === 'ended' && !this.#awaitsPromise) this.#finish(COMPLETE);
    else this.#finishIfOver();
  }

  /** With the response out: over when the request is in, or when nobody is left to read it. */
  #finishIfOver(): void {
    if (this.#response !== 'ended' || this.#final || this.#awaitsPromise) return;
    if (this.#requestState === 'open' && !this.#settled) return;
    if (!this.isFinalSent) this.#outlet.sendClosed(this);
    this.#finish(COMPLETE);
  }

  #cut(closed: Closed, code: number, reason: ResetReason): void {
    if (this.#final) return;
    this.#endStall();
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
    const queue = this.#queue;
    this.#queue = NOTHING_QUEUED;
    this.#queuedBytes = 0;
    if (closed.how === 'reset') {
      const error = new ExchangeClosedError(closed);
      if (this.#requestState === 'open' || this.#body !== null) {
        if (this.#requestState === 'open') this.#requestState = 'cut';
        this.#body?.cut(error);
        this.#trailers?.reject(error);
      }
      for (const item of queue) if (item.written !== null) refuse(item.written, error);
      if (this.#abort !== null) this.#abortInContext(this.#abort, error);
    } else if (this.#requestState === 'open') {
      this.#requestState = 'cut';
      const error = new ExchangeClosedError(closed);
      this.#body?.cut(error);
      this.#trailers?.reject(error);
    }
    this.#whenClosed?.resolve(closed);
  }
}

/**
 * A peer can cut an exchange off at any time. An application that does not wait for its writes hears of it by `signal` and
 * `closed`; a rejection that nobody handles would end its whole thread, and every other exchange in it.
 */
function refuse(written: PromiseWithResolvers<void>, error: ExchangeClosedError): void {
  written.promise.catch(() => undefined);
  written.reject(error);
}

function refusal(error: HostError): Promise<never> {
  return error instanceof ExchangeClosedError ? unheard(error) : Promise.reject(error);
}

/** A rejection that does no harm when nobody handles it. */
function unheard(error: HostError): Promise<never> {
  const refused = Promise.reject(error);
  refused.catch(() => undefined);
  return refused;
}

/** Their memory was transferred or resized: a body with a hole must not pass for whole. */
function bytesGone(bytes: Uint8Array, length: number): HostError {
  return new HostError(
    'SLUICE_VALUE_INVALID',
    `expected bytes to stay as they are until they have been sent, got ${bytes.length} where ${length} were given`,
  );
}
