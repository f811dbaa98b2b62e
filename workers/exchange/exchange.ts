/**
 * One exchange in the thread that runs it, as the application sees it: which calls are allowed when, and
 * which messages they become. `SlotOutput` sends the messages on the slot, to the end of both sides. An
 * `IncomingRequest` receives what follows the request's head. A promised request is answered through such an
 * exchange, too.
 *
 * For the application, the exchange ends when its function has returned.
 */
import { clockMicroseconds } from '../../wire/clock.ts';
import { offered } from '../extensions.ts';
import {
  contentLengthOf,
  flatten,
  flattenTrailers,
  requireNoContentLength,
  withContentLength,
} from '../fields/sent.ts';
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
} from '../gateway.ts';
import { capabilitiesOf, NOTHING_WITHHELD, requireFeatures } from './capabilities.ts';
import { EmptyBody } from './empty-body.ts';
import { ExchangeClosedError, HostError } from './errors.ts';
import { EMPTY_FIELDS, IncomingRequest, type Receiver } from './incoming-request.ts';
import type { Outlet } from './outlet.ts';
import { type PendingPush, Pushes, pendingPush, requireFits } from './pushes.ts';
import { backlog, notStartedOrEnded, refusal, responseStarted, unheard } from './refusals.ts';
import type { RequestBody } from './request-body.ts';
import { MAX_QUEUED_MESSAGES } from './response-queue.ts';
import {
  isBodiless,
  lacksLength,
  requireFit,
  requireLength,
  requireNoTunnelContent,
  requireRefusalOfTunnel,
} from './response-rules.ts';
import { SlotOutput } from './slot-output.ts';
import { HostedTunnel } from './tunnel.ts';
import { contentOf, requireFinalStatus, requireInterimStatus, requirePadding } from './values.ts';

const NO_BYTES = new Uint8Array(0);
/** The status in HEAD that accepts a tunnel. The peer gets what its protocol has for that. */
const SWITCHING_PROTOCOLS = 101;
const NO_TRAILERS: Promise<Fields> = Promise.resolve(EMPTY_FIELDS);
const TOO_LARGE_FIELDS = Object.freeze({ 'content-type': 'text/plain; charset=utf-8' });

/** `id` identifies the request in logs; absent or empty: it has no identifier. */
type NamedRequest = ExchangeRequest & { readonly id?: string };

export class HostedExchange extends SlotOutput implements Exchange, Receiver {
  readonly request: NamedRequest;
  readonly #isHead: boolean;
  /** The response has no content whatever the application writes: HEAD, 204, 304 (RFC 9110 section 6.4.1). */
  #bodiless = false;
  /** How many bytes of the declared content-length are still to be written; -1: none was declared. */
  #declaredBytes = -1;

  readonly #takesPushes: boolean;
  /** Null: the request was complete with its head. */
  readonly #incoming: IncomingRequest | null;
  #emptyBody: EmptyBody | null = null;
  #drain: AbortController | null = null;
  #tunnel: HostedTunnel | null = null;
  #pushes: Pushes | null = null;
  /**
   * When the request's head arrived and when the application began, as `clockMicroseconds` of wire/clock.ts.
   */
  readonly receivedAtUs: number;
  readonly startedAtUs: number;

  constructor(
    outlet: Outlet<HostedExchange>,
    slot: number,
    request: NamedRequest,
    requestEnded: boolean,
    takesPushes = false,
    receivedAtUs = 0,
    startedAtUs = clockMicroseconds(),
  ) {
    super(outlet, slot);
    this.request = request;
    this.#isHead = request.method === 'HEAD';
    this.receivedAtUs = receivedAtUs;
    this.startedAtUs = startedAtUs;
    this.#takesPushes = takesPushes;
    this.#incoming = requestEnded ? null : new IncomingRequest(this, outlet.options.requestWindowBytes);
  }

  // ---- the application's side

  get capabilities(): Capabilities {
    return capabilitiesOf(this.request.version, this.#takesPushes, this.asksForTunnel);
  }

  /** The request's identifier in logs; empty: it has none. */
  get requestId(): string {
    return this.request.id ?? '';
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

  get body(): RequestBody | EmptyBody {
    if (this.#incoming !== null) return this.#incoming.body;
    this.#emptyBody ??= new EmptyBody();
    return this.#emptyBody;
  }

  get trailers(): Promise<Fields> {
    return this.#incoming === null ? NO_TRAILERS : this.#incoming.trailers;
  }

  async push(request: PushRequest): Promise<PushedResponse | null> {
    const pending = pendingPush(request);
    requireFits(pending, this.outlet.maxHeadBytes);
    const over = this.whyOver;
    // The peer has gone, which is not the application's fault.
    if (over instanceof ExchangeClosedError) return null;
    if (over !== null) throw over;
    if (!this.#takesPushes) return null;
    this.#pushes ??= new Pushes(() => this.finishIfOver());
    if (this.#pushes.pendingCount >= MAX_QUEUED_MESSAGES) {
      throw backlog(`${MAX_QUEUED_MESSAGES} pushes wait for the reactor to decide and that is the limit`);
    }
    const number = this.outlet.nextPushNumber();
    this.#pushes.add(number, pending);
    this.sendBetween('push', number, null);
    return pending.decision.promise;
  }

  accept(fields?: FieldsInit): HostedTunnel {
    if (!this.asksForTunnel) {
      throw new HostError(
        'SLUICE_NOT_A_TUNNEL',
        `expected a request for a tunnel (CONNECT or a protocol), got ${this.request.method} without a protocol`,
      );
    }
    this.startTunnel(fields);
    this.#tunnel = new HostedTunnel(this);
    return this.#tunnel;
  }

  get draining(): AbortSignal {
    if (this.#drain === null) {
      this.#drain = new AbortController();
      if (this.outlet.isDraining) this.#drain.abort();
    }
    return this.#drain.signal;
  }

  /** True if the request asks for a tunnel. */
  get asksForTunnel(): boolean {
    return this.request.protocol !== '' || this.request.method === 'CONNECT';
  }

  pad(toMultipleOf: number): void {
    requirePadding(toMultipleOf);
    if (!this.capabilities.padding || this.response === 'ended' || this.response === 'cut') return;
    if (this.isQueueFull) {
      throw backlog(`${MAX_QUEUED_MESSAGES} messages wait to be sent and that is the limit`);
    }
    this.sendBetween('pad', toMultipleOf, null);
  }

  inform(status: number, fields?: FieldsInit): void {
    this.#mustBeIdle();
    requireInterimStatus(status);
    if (this.isQueueFull) {
      throw backlog(`${MAX_QUEUED_MESSAGES} interim responses wait to be sent and that is the limit`);
    }
    const flat = this.#flatten(fields);
    requireNoContentLength(flat);
    requireFit(flat, this.outlet.maxHeadBytes);
    this.sendBetween('inform', status, flat);
  }

  /** The response consists of the two byte streams of a tunnel. */
  startTunnel(fields: FieldsInit | undefined): void {
    this.#mustBeIdle();
    const flat = this.#flatten(fields);
    requireFit(flat, this.outlet.maxHeadBytes);
    requireNoTunnelContent(flat);
    this.sendStart(SWITCHING_PROTOCOLS, flat);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    if (this.asksForTunnel) requireRefusalOfTunnel(this.request, status);
    const flat = this.#flatten(fields);
    const headBytes = requireFit(flat, this.outlet.maxHeadBytes);
    const declared = contentLengthOf(flat);
    const hasNoBody = isBodiless(this.#isHead, status);
    if (body === undefined) {
      this.#bodiless = hasNoBody;
      this.#declaredBytes = hasNoBody ? -1 : declared;
      this.sendStart(status, flat);
      return;
    }
    const bytes = contentOf(body, 'a body');
    requireLength(declared, bytes.length, status);
    const head = lacksLength(declared, status) ? withContentLength(flat, bytes.length) : flat;
    if (hasNoBody || bytes.length === 0) {
      this.sendWhole(status, head, NO_BYTES);
    } else if (
      bytes.length <= this.credit &&
      bytes.length <= this.outlet.maxDataBytes &&
      bytes.length + headBytes <= this.outlet.maxHeadBytes
    ) {
      this.sendWhole(status, head, bytes);
    } else {
      this.sendStart(status, head);
      this.sendEnd(bytes, null);
    }
  }

  write(chunk: Uint8Array | string): Promise<void> {
    if (this.response !== 'started') return refusal(this.#notWritable());
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
    const limit = this.outlet.options.writeBacklogBytes;
    const waiting = this.waitingBytes;
    if (waiting > 0 && waiting + bytes.length > limit) {
      return this.#refuseWrite(`${waiting} bytes wait to be sent and the limit is ${limit}`);
    }
    if (this.isQueueFull) {
      return this.#refuseWrite(`${MAX_QUEUED_MESSAGES} pieces wait to be sent and that is the limit`);
    }
    if (this.#declaredBytes !== -1) this.#declaredBytes -= bytes.length;
    const written = Promise.withResolvers<void>();
    this.sendPiece(bytes, written);
    return written.promise;
  }

  /**
   * Sends a piece in one message, without a promise. For tunnels, which declare no content-length.
   * @returns false: the piece would have to wait for credit, for room or behind another message, and nothing
   * was sent
   */
  tryWrite(bytes: Uint8Array): boolean {
    if (this.response !== 'started' || this.#bodiless || this.#declaredBytes !== -1) return false;
    return this.tryPiece(bytes);
  }

  /**
   * A piece was lost. If anything followed, an `end` above all, a body with a hole would look complete. The
   * application may not handle the rejection, because it did not wait for earlier writes. The host therefore
   * reports the error when the function is over.
   */
  #refuseWrite(found: string): Promise<never> {
    const error = backlog(found);
    this.fail(error);
    return unheard(error);
  }

  end(trailers?: FieldsInit): void {
    if (this.response !== 'started') throw this.#notWritable();
    if (this.#declaredBytes > 0) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        `expected ${this.#declaredBytes} more bytes before the end, as content-length declared`,
      );
    }
    const flat = flattenTrailers(trailers);
    // The application provides the lines, and its code may have called this exchange.
    if (this.response !== 'started') throw this.#notWritable();
    requireFit(flat, this.outlet.maxHeadBytes);
    if (flat.length > 0 && !this.#isHead) this.sendEnd(null, flat);
    else this.sendEnd(NO_BYTES, null);
  }

  get writableBytes(): number {
    return this.response === 'started' ? Math.max(0, this.credit - this.waitingBytes) : 0;
  }

  /**
   * The application provides the lines. Its code may throw, or call this exchange and change the state of the
   * response.
   */
  #flatten(fields: FieldsInit | undefined): readonly string[] {
    const flat = flatten(fields);
    this.#mustBeIdle();
    return flat;
  }

  #mustBeIdle(): void {
    if (this.response === 'idle') return;
    throw this.whyCut ?? responseStarted();
  }

  /** Why nothing can be added to the response; null: it can. */
  get whyOver(): HostError | null {
    return this.response === 'idle' || this.response === 'started' ? null : this.#notWritable();
  }

  #notWritable(): HostError {
    return this.whyCut ?? notStartedOrEnded(this.response === 'idle');
  }

  // ---- the host's side

  /**
   * Answers 413: the application has set a limit for the body, the body is longer, and the application has
   * thrown that error.
   * @returns false: a response has begun, and the exchange has failed
   */
  refuseContent(): boolean {
    if (this.response !== 'idle' || !this.isOpen) return false;
    this.respond(413, TOO_LARGE_FIELDS, '413 Content Too Large\n');
    return this.onReturn();
  }

  /** The tunnel that `accept` returned; null: it was not called. */
  get tunnel(): HostedTunnel | null {
    return this.#tunnel;
  }

  /** Calls the application's function on this exchange, in the exchange's own async context. */
  begin(application: Application): unknown {
    return this.call(application, this);
  }

  onDraining(): void {
    if (this.#drain !== null) this.abortInContext(this.#drain);
  }

  /** The promised responses; null: the application has asked for none. */
  get pushes(): Pushes | null {
    return this.#pushes;
  }

  onData(bytes: Uint8Array, end: boolean): void {
    this.#incoming?.onData(bytes, end);
  }

  onTrailers(flat: readonly string[]): void {
    this.#incoming?.onTrailers(flat);
  }

  onRequestEnded(): void {
    this.finishIfOver();
  }

  onOwing(): void {
    this.outlet.oweCredit(this);
  }

  /** See `IncomingRequest.owesMuch`. */
  get owesMuch(): boolean {
    return this.#incoming?.owesMuch(this.outlet.options.creditEveryBytes) === true;
  }

  override get isUnsent(): boolean {
    return this.isOpen && (super.isUnsent || this.#incoming?.isOwing === true);
  }

  /** Sends the owed credit. */
  payCredit(): void {
    const incoming = this.#incoming;
    if (!this.isOpen || incoming === null || !incoming.isOwing) return;
    if (this.outlet.sendCredit(this, incoming.owedGranted, incoming.owedConsumed)) incoming.paid();
  }

  // ---- the response's side

  protected override get isRequestOpen(): boolean {
    return this.#incoming?.isOpen === true;
  }

  protected override get awaitsPromise(): boolean {
    return this.#pushes !== null && this.#pushes.pendingCount > 0;
  }

  override pendingPush(number: number): PendingPush | undefined {
    return this.#pushes?.pending(number);
  }

  protected override onFinished(closed: Closed, error: ExchangeClosedError | null): void {
    this.#pushes?.abandon();
    if (error !== null) this.#incoming?.cut(error);
    else if (this.isRequestOpen) this.#incoming?.close(new ExchangeClosedError(closed));
  }
}
