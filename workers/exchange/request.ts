/** A request as the application sees it: what most never look at is made on first use. */
import { DEFAULT_URGENCY, Flag, URGENCY_SHIFT } from '../../wire/messages.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import { ReceivedFields } from '../fields/received.ts';
import type { ExchangeRequest, Fields, Priority, RemoteAddress, TlsConnection } from '../gateway.ts';
import type { PendingPush } from './pushes.ts';
import { HostedTls } from './tls.ts';

/** The head may be that of other requests too; what an application could change is each request's own. */
export class HostedRequest implements ExchangeRequest {
  readonly path: string;
  readonly #head: RequestHead;
  readonly #flags: number;
  /** What it is called in logs; empty: nothing. */
  readonly id: string;
  readonly #idField: string;
  #fields: Fields | null = null;
  #tls: HostedTls | null = null;

  /** @param idField of its fields, the one that carries `id` */
  constructor(head: RequestHead, path: string, flags: number, id = '', idField = '') {
    this.#head = head;
    this.path = path;
    this.#flags = flags;
    this.id = id;
    this.#idField = idField;
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
    this.#fields ??= new ReceivedFields(
      this.id === '' ? this.#head.fields : withField(this.#head.fields, this.#idField, this.id),
    );
    return this.#fields;
  }

  /** These in the place of what has come by their names. Before an application looks. */
  setTraceFields(fields: ReadonlyMap<string, string>): void {
    let flat = ReceivedFields.flat(this.fields);
    for (const [name, value] of fields) flat = withField(flat, name, value);
    this.#fields = new ReceivedFields(flat);
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

/** One line with the value, in the place of whatever a client may have sent by its name. */
function withField(fields: readonly string[], name: string, value: string): readonly string[] {
  if (name === '') return fields;
  const named: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== name) named.push(fields[i] as string, fields[i + 1] as string);
  }
  named.push(name, value);
  return named;
}

/** The request that a promised response answers: the application's own, on the connection of the exchange that it promised it for. */
export class PromisedRequest implements ExchangeRequest {
  readonly version = '2';
  readonly protocol = '';
  readonly tls = null;
  readonly priority: Priority = Object.freeze({ urgency: DEFAULT_URGENCY, incremental: false });
  readonly fields: Fields;
  readonly id: string;
  readonly #parent: ExchangeRequest | null;
  readonly #push: PendingPush | null;

  /** Null: the exchange, or the wish for the push, is over already. */
  constructor(parent: ExchangeRequest | null, push: PendingPush | null, id = '') {
    this.#parent = parent;
    this.id = id;
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
