/** An exchange between the two sides. It changes nothing that passes through it. */

import { isAcceptedBy2xx } from '../exchange/response-rules.ts';
import type {
  Capabilities,
  Exchange,
  ExchangeBody,
  ExchangeRequest,
  ExtensionKey,
  Feature,
  Fields,
  FieldsInit,
  PushedResponse,
  PushRequest,
  Tunnel,
  Withheld,
} from '../gateway.ts';
import type { Report } from './report.ts';
import { checkCapabilities, checkRequest, isSame } from './request-checks.ts';
import { type BodyOwner, ValidatedBody } from './validated-body.ts';
import { ValidatedResponse } from './validated-response.ts';
import { ValidatedTunnel } from './validated-tunnel.ts';

/** Fields that no trailer section may contain (RFC 9110 section 6.5.1). */
const NOT_IN_TRAILERS = [
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'set-cookie',
  'trailer',
  'transfer-encoding',
];

export class ValidatedExchange extends ValidatedResponse implements Exchange, BodyOwner {
  readonly #inner: Exchange;
  readonly #request: ExchangeRequest;
  readonly #capabilities: Capabilities;
  readonly #pushed: ValidatedResponse[] = [];
  #body: ValidatedBody | null = null;
  #bodyState: 'open' | 'ended' = 'open';
  #trailers: Promise<Fields> | null = null;

  constructor(inner: Exchange, report: Report) {
    super(inner, inner.request.method === 'HEAD', report);
    this.#inner = inner;
    this.#request = inner.request;
    this.#capabilities = inner.capabilities;
    checkRequest(inner.request, report);
    checkCapabilities(inner, report);
    for (const name of ['signal', 'draining'] as const) {
      if (!(inner[name] instanceof AbortSignal))
        report.server(name === 'signal' ? '7.2' : '15.1', `expected ${name} to be an AbortSignal`);
    }
  }

  override release(): void {
    super.release();
    for (const pushed of this.#pushed) pushed.release();
  }

  get request(): ExchangeRequest {
    const { request } = this.#inner;
    if (
      request.method !== this.#request.method ||
      request.path !== this.#request.path ||
      request.version !== this.#request.version
    ) {
      this.report.server('3.1', 'expected the request to be constant, but it has changed');
    }
    return request;
  }

  get capabilities(): Capabilities {
    const { capabilities } = this.#inner;
    if (!isSame(capabilities, this.#capabilities))
      this.report.server('10.1', 'expected capabilities to be constant, but they have changed');
    return capabilities;
  }

  get withheld(): readonly Withheld[] {
    return this.#inner.withheld;
  }

  require(...features: readonly Feature[]): void {
    const missing = features.find((feature) => !this.#inner.capabilities[feature]);
    this.#inner.require(...features);
    if (missing !== undefined)
      this.report.server('10.3', `expected require('${missing}') to throw, but it did not`);
  }

  extension<T>(key: ExtensionKey<T>): T | null {
    return this.#inner.extension(key);
  }

  get draining(): AbortSignal {
    return this.#inner.draining;
  }

  closeConnection(): void {
    this.mustHold('closeConnection');
    this.#inner.closeConnection();
  }

  // ---- the request's body

  get body(): ExchangeBody {
    this.#body ??= new ValidatedBody(this.#inner.body, this);
    return this.#body;
  }

  get isCut(): boolean {
    return this.#inner.signal.aborted;
  }

  onEnd(): void {
    this.#bodyState = 'ended';
  }

  get trailers(): Promise<Fields> {
    if (this.#trailers === null) {
      this.#trailers = this.#inner.trailers;
      this.#trailers.then((fields) => this.#judgeTrailers(fields)).catch(() => undefined);
    }
    return this.#trailers;
  }

  #judgeTrailers(fields: Fields): void {
    for (const name of NOT_IN_TRAILERS) {
      if (fields.has(name)) this.report.server('4.6', `expected no ${name} in a trailer section`);
    }
    const isWhole = this.#bodyState === 'ended' || this.#inner.body.isAtEnd;
    if (!isWhole && fields.size > 0)
      this.report.server(
        '4.6',
        'expected trailers to settle after the body was read, but they settled before',
      );
  }

  // ---- pushes and tunnels

  async push(request: PushRequest): Promise<PushedResponse | null> {
    this.enter('push');
    let pushed: PushedResponse | null;
    try {
      pushed = await this.#inner.push(request);
    } catch (error) {
      throw this.refused(error);
    }
    if (pushed === null) return null;
    if (!this.#inner.capabilities.push)
      this.report.server('10.1', 'expected no promised response without the push capability');
    const validated = new ValidatedResponse(pushed, request.method === 'HEAD', this.report);
    this.#pushed.push(validated);
    // Like the server, this keeps nothing of a promised response that is over (rule 8.5).
    const forget = () => void this.#pushed.splice(this.#pushed.indexOf(validated), 1);
    void pushed.closed.then(forget, forget);
    return validated;
  }

  get #asksForTunnel(): boolean {
    return this.#request.protocol !== '' || this.#request.method === 'CONNECT';
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const accepts = isAcceptedBy2xx(this.#request) && status >= 200 && status < 300;
    try {
      super.respond(status, fields, body);
    } catch (error) {
      if (accepts) this.report.application('9.2', (error as Error).message);
      throw error;
    }
    if (accepts) this.report.server('9.2', `expected ${status} to be refused, because it accepts the tunnel`);
  }

  accept(fields?: FieldsInit): Tunnel {
    this.enter('accept');
    const tunnel = this.send('accept', () => this.#inner.accept(fields));
    if (!this.#asksForTunnel) {
      this.report.server('9.2', 'expected accept to be refused, because the request asks for no tunnel');
    }
    this.entered('accept');
    return new ValidatedTunnel(tunnel, this.report, (what) => this.mustHold(what));
  }
}
