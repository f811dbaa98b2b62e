/**
 * One exchange in the thread that runs it: the application's view on one side, ring messages on the other. It is a response
 * (`HostedResponse`, which also sees to the end of both) with the request that it answers: what comes behind the request's head is received
 * by an `IncomingRequest`.
 *
 * It ends for the application when its function has returned as well.
 */
import { clockMicroseconds } from '../wire/clock.ts';
import { capabilitiesOf, NOTHING_WITHHELD, requireFeatures } from './capabilities.ts';
import { ExchangeClosedError, HostError } from './errors.ts';
import { offered } from './extensions.ts';
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
import { backlog } from './refusals.ts';
import type { RequestBody } from './request-body.ts';
import { HostedResponse } from './response.ts';
import { MAX_QUEUED_MESSAGES } from './response-queue.ts';
import { HostedTunnel } from './tunnel.ts';

export class HostedExchange extends HostedResponse implements Exchange, Receiver {
  readonly #takesPushes: boolean;
  /** Null: the request was whole with its head, and nobody has looked. */
  #incoming: IncomingRequest | null;
  #drain: AbortController | null = null;
  #tunnel: HostedTunnel | null = null;
  #pushes: Pushes | null = null;
  /** When the request's head had come and when the application began: `clockMicroseconds` of wire/clock.ts. */
  readonly receivedAtUs: number;
  readonly startedAtUs: number;

  constructor(
    outlet: Outlet<HostedExchange>,
    slot: number,
    request: ExchangeRequest,
    requestEnded: boolean,
    takesPushes = false,
    receivedAtUs = 0,
    startedAtUs = clockMicroseconds(),
  ) {
    super(outlet, slot, request);
    this.receivedAtUs = receivedAtUs;
    this.startedAtUs = startedAtUs;
    this.#takesPushes = takesPushes;
    this.#incoming = requestEnded
      ? null
      : new IncomingRequest(this, outlet.options.requestWindowBytes, false);
  }

  // ---- the application's side

  get capabilities(): Capabilities {
    return capabilitiesOf(this.request.version, this.#takesPushes, this.asksForTunnel);
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

  get body(): RequestBody {
    return this.#received.body;
  }

  get trailers(): Promise<Fields> {
    return this.#received.trailers;
  }

  get #received(): IncomingRequest {
    this.#incoming ??= new IncomingRequest(this, this.outlet.options.requestWindowBytes, true);
    return this.#incoming;
  }

  async push(request: PushRequest): Promise<PushedResponse | null> {
    const pending = pendingPush(request);
    requireFits(pending, this.outlet.maxHeadBytes);
    const over = this.whyOver;
    // The peer has gone, which is no mistake of the application's.
    if (over instanceof ExchangeClosedError) return null;
    if (over !== null) throw over;
    if (!this.#takesPushes) return null;
    this.#pushes ??= new Pushes(() => this.finishIfOver());
    if (this.#pushes.pendingCount >= MAX_QUEUED_MESSAGES) {
      throw backlog(`${MAX_QUEUED_MESSAGES} pushes wait for their answer and that is the limit`);
    }
    const number = this.outlet.nextPushNumber();
    this.#pushes.add(number, pending);
    this.sendBetween('push', number, null);
    return pending.answer.promise;
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

  // ---- the host's side

  /** What `accept` gave, if it was called. */
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

  /** The promised responses, if any was asked for. */
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
    this.outlet.owes(this);
  }

  /** See `IncomingRequest`. */
  get owesMuch(): boolean {
    return this.#incoming?.owesMuch(this.outlet.options.creditEveryBytes) === true;
  }

  override get isUnsent(): boolean {
    return this.isOpen && (super.isUnsent || this.#incoming?.isOwing === true);
  }

  /** Sends what is owed to the peer for consumed bytes. */
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
