/** A request as the application sees it: what most never look at is made on first use. */
import { DEFAULT_URGENCY, Flag, URGENCY_SHIFT } from '../wire/messages.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { ReceivedFields } from './fields/received.ts';
import type { ExchangeRequest, Fields, Priority, RemoteAddress, TlsConnection } from './gateway.ts';
import type { PendingPush } from './pushes.ts';
import { HostedTls } from './tls.ts';

/** The head may be that of other requests too; what an application could change is each request's own. */
export class HostedRequest implements ExchangeRequest {
  readonly path: string;
  readonly #head: RequestHead;
  readonly #flags: number;
  #fields: Fields | null = null;
  #tls: HostedTls | null = null;

  constructor(head: RequestHead, path: string, flags: number) {
    this.#head = head;
    this.path = path;
    this.#flags = flags;
  }

  get method(): string {
    return this.#head.method;
  }

  get scheme(): string {
    return this.#head.scheme;
  }

  get authority(): string {
    return this.#head.authority;
  }

  get version(): string {
    return this.#head.version;
  }

  get protocol(): string {
    return this.#head.protocol;
  }

  get fields(): Fields {
    this.#fields ??= new ReceivedFields(this.#head.fields);
    return this.#fields;
  }

  get remote(): RemoteAddress {
    return { address: this.#head.remoteAddress, port: this.#head.remotePort };
  }

  get priority(): Priority {
    const flags = this.#flags;
    return {
      urgency: ((flags >> URGENCY_SHIFT) & 7) ^ DEFAULT_URGENCY,
      incremental: (flags & Flag.Incremental) !== 0,
    };
  }

  get tls(): TlsConnection | null {
    if (this.#tls === null && this.#head.hasTls) this.#tls = new HostedTls(this.#head.tls);
    return this.#tls;
  }
}

/** The request that a promised response answers: the application's own, on the connection of the exchange that it promised it for. */
export class PromisedRequest implements ExchangeRequest {
  readonly version = '2';
  readonly protocol = '';
  readonly tls = null;
  readonly priority: Priority = Object.freeze({ urgency: DEFAULT_URGENCY, incremental: false });
  readonly fields: Fields;
  readonly #parent: ExchangeRequest | null;
  readonly #push: PendingPush | null;

  /** Null: the exchange, or the wish for the push, is over already. */
  constructor(parent: ExchangeRequest | null, push: PendingPush | null) {
    this.#parent = parent;
    this.#push = push;
    this.fields = new ReceivedFields(push?.fields ?? []);
  }

  get method(): string {
    return this.#push?.method ?? 'GET';
  }

  get path(): string {
    return this.#push?.path ?? '/';
  }

  get scheme(): string {
    return this.#parent?.scheme ?? '';
  }

  get authority(): string {
    return this.#parent?.authority ?? '';
  }

  get remote(): RemoteAddress {
    return this.#parent?.remote ?? { address: '', port: 0 };
  }
}
