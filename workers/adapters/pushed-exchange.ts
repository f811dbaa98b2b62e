/** A promised request and its response as an exchange, so that an application can answer it like any request. */
import { NOTHING_WITHHELD, requireFeatures } from '../exchange/capabilities.ts';
import { EmptyBody } from '../exchange/empty-body.ts';
import { HostError } from '../exchange/errors.ts';
import { ReceivedFields } from '../fields/received.ts';
import type {
  Capabilities,
  Closed,
  Exchange,
  ExchangeBody,
  ExchangeRequest,
  ExtensionKey,
  Feature,
  Fields,
  FieldsInit,
  PushedResponse,
  Tunnel,
  Withheld,
} from '../gateway.ts';
import { ChangedRequest } from '../middleware/changed-request.ts';
import { WrappedResponse } from '../middleware/wrapped-response.ts';

/** Fields of the page's request that the peer would send again for a part of the page. */
const SENT_AGAIN = ['accept-encoding', 'accept-language', 'authorization', 'cookie', 'user-agent'];
const EMPTY = new ReceivedFields([]);

export class PushedExchange extends WrappedResponse implements Exchange {
  readonly request: ExchangeRequest;
  readonly withheld: readonly Withheld[] = NOTHING_WITHHELD;
  readonly capabilities: Capabilities;
  readonly body: ExchangeBody = new EmptyBody();
  readonly #page: Exchange;

  constructor(page: Exchange, path: string, response: PushedResponse) {
    super(response);
    this.#page = page;
    const fields = new ReceivedFields(PushedExchange.fieldsOf(page).flat());
    this.request = new ChangedRequest(page.request, { method: 'GET', path, protocol: '', fields });
    this.capabilities = { ...page.capabilities, push: false, tunnel: false };
  }

  static fieldsOf(page: Exchange): [name: string, value: string][] {
    return SENT_AGAIN.flatMap((name) => {
      const values: [string, string][] = [];
      for (const [each, value] of page.request.fields) if (each === name) values.push([name, value]);
      return values;
    });
  }

  get trailers(): Promise<Fields> {
    return Promise.resolve(EMPTY);
  }

  get draining(): AbortSignal {
    return this.#page.draining;
  }

  require(...features: readonly Feature[]): void {
    requireFeatures(this, features);
  }

  extension<T>(_key: ExtensionKey<T>): T | null {
    return null;
  }

  /** The connection carries the page too, so this has no effect. */
  closeConnection(): void {}

  /** A promise is made on a stream that the peer opened, never on a promised one (RFC 9113 section 8.4). */
  async push(): Promise<null> {
    return null;
  }

  accept(_fields?: FieldsInit): Tunnel {
    throw new HostError('SLUICE_NOT_A_TUNNEL', 'expected a request for a tunnel, got a promised request');
  }

  override get closed(): Promise<Closed> {
    return this.inner.closed;
  }
}
