/** A request as the application sees it. Parts that most applications never look at are made on first use. */
import { DEFAULT_URGENCY, Flag, URGENCY_SHIFT } from '../../wire/messages.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import { ReceivedFields } from '../fields/received.ts';
import type { ExchangeRequest, Fields, Priority, RemoteAddress, TlsConnection } from '../gateway.ts';
import type { PendingPush } from './pushes.ts';
import { HostedTls } from './tls.ts';

/**
 * Several requests may share the head. Objects that an application could change are made for each request.
 */
export class HostedRequest implements ExchangeRequest {
  readonly path: string;
  readonly #head: RequestHead;
  readonly #flags: number;
  /** The request's identifier in logs; empty: it has none. */
  readonly id: string;
  readonly #idField: string;
  #fields: Fields | null = null;
  #tls: HostedTls | null = null;

  /** @param idField the name of the field that carries `id` */
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

  /** Replaces the fields of these names. To be called before an application looks at them. */
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

/** Returns the fields with exactly one line of this name, which replaces any that the client has sent. */
function withField(fields: readonly string[], name: string, value: string): readonly string[] {
  if (name === '') return fields;
  const named: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== name) named.push(fields[i] as string, fields[i + 1] as string);
  }
  named.push(name, value);
  return named;
}

/**
 * The request that a promised response answers. The application made it, and it belongs to the connection of
 * the exchange that promises it.
 */
export class PromisedRequest implements ExchangeRequest {
  readonly version = '2';
  readonly protocol = '';
  readonly tls = null;
  readonly priority: Priority = Object.freeze({ urgency: DEFAULT_URGENCY, incremental: false });
  readonly fields: Fields;
  readonly id: string;
  readonly #parent: ExchangeRequest | null;
  readonly #push: PendingPush | null;

  /**
   * @param parent null if the exchange is already over
   * @param push null if the application no longer waits for the push
   */
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
