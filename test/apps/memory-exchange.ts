/**
 * An exchange without a server, for tests of the sample applications that need no socket. It enforces the
 * order of the interface (head, content, end) and records what was sent.
 */
import { capabilitiesOf, requireFeatures } from '../../workers/exchange/capabilities.ts';
import { HostError } from '../../workers/exchange/errors.ts';
import { ReceivedFields } from '../../workers/fields/received.ts';
import type {
  Application,
  Closed,
  Exchange,
  ExchangeBody,
  ExchangeRequest,
  Feature,
  Fields,
  FieldsInit,
} from '../../workers/gateway.ts';

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly scheme?: string;
  readonly authority?: string;
  readonly fields?: { readonly [name: string]: string };
  /** Text is a single piece. */
  readonly body?: string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly trailers?: { readonly [name: string]: string };
}

export interface Response {
  readonly status: number;
  readonly fields: Fields;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly trailers: Fields;
  /** How many pieces of content were sent. */
  readonly pieces: number;
}

/** Passes one request to an application and waits until its response is complete. */
export async function ask(application: Application, request: Request): Promise<Response> {
  const exchange = new MemoryExchange(request);
  await application(exchange);
  return exchange.response();
}

export class MemoryExchange implements Exchange {
  readonly request: ExchangeRequest;
  readonly body: ExchangeBody;
  readonly trailers: Promise<Fields>;
  readonly capabilities = capabilitiesOf('2', false, false);
  readonly withheld = [];
  readonly writableBytes = 65536;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly draining: AbortSignal = new AbortController().signal;
  readonly closed: Promise<Closed> = Promise.resolve({ by: 'application', how: 'complete', code: 0 });
  readonly #pieces: Uint8Array[];
  #state: 'idle' | 'started' | 'ended' = 'idle';
  #status = 0;
  #fields: Fields = received({});
  #trailers: Fields = received({});

  /** @param pieces receives what is sent. */
  constructor(request: Request, pieces: Uint8Array[] = []) {
    this.#pieces = pieces;
    this.request = {
      method: request.method ?? 'GET',
      scheme: request.scheme ?? 'http',
      authority: request.authority ?? '127.0.0.1:8080',
      path: request.path,
      protocol: '',
      fields: received(request.fields ?? {}),
      version: '2',
      remote: { address: '127.0.0.1', port: 50000 },
      tls: null,
      priority: { urgency: 3, incremental: false },
    };
    this.body = memoryBody(request.body ?? '');
    this.trailers = Promise.resolve(received(request.trailers ?? {}));
  }

  require(...features: readonly Feature[]): void {
    requireFeatures(this, features);
  }

  extension(): null {
    return null;
  }

  pad(): void {}
  closeConnection(): void {}

  inform(): void {}

  respond(status: number, fields: FieldsInit = {}, body?: Uint8Array | string): void {
    if (this.#state !== 'idle') throw new HostError('SLUICE_RESPONSE_STARTED', 'the head was sent before');
    this.#state = 'started';
    this.#status = status;
    this.#fields = received(fields);
    if (body === undefined) return;
    this.#pieces.push(typeof body === 'string' ? Buffer.from(body) : body);
    this.#state = 'ended';
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state !== 'started')
      throw new HostError('SLUICE_RESPONSE_NOT_STARTED', 'there is no open response');
    this.#pieces.push(Buffer.from(chunk));
  }

  end(trailers: FieldsInit = {}): void {
    if (this.#state !== 'started')
      throw new HostError('SLUICE_RESPONSE_NOT_STARTED', 'there is no open response');
    this.#state = 'ended';
    this.#trailers = received(trailers);
  }

  async push(): Promise<null> {
    return null;
  }

  accept(): never {
    throw new HostError('SLUICE_NOT_A_TUNNEL', 'there are no tunnels in memory');
  }

  reset(): void {
    this.#state = 'ended';
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  response(): Response {
    if (this.#state !== 'ended') throw new Error(`expected a complete response, it is ${this.#state}`);
    const bytes = Buffer.concat(this.#pieces);
    return {
      status: this.#status,
      fields: this.#fields,
      bytes,
      text: bytes.toString(),
      trailers: this.#trailers,
      pieces: this.#pieces.length,
    };
  }
}

function received(init: FieldsInit): Fields {
  const pairs = Symbol.iterator in init ? [...init] : Object.entries(init);
  return new ReceivedFields(pairs.flatMap(([name, value]) => [name, String(value)]));
}

function memoryBody(body: string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): ExchangeBody {
  const pieces = typeof body === 'string' ? (body === '' ? [] : [Buffer.from(body)]) : body;
  let isAtEnd = body === '';
  return {
    get isAtEnd() {
      return isAtEnd;
    },
    async *[Symbol.asyncIterator]() {
      yield* pieces;
      isAtEnd = true;
    },
    async bytes() {
      const all: Uint8Array[] = [];
      for await (const piece of this) all.push(piece);
      return Buffer.concat(all);
    },
    async text() {
      return new TextDecoder().decode(await this.bytes());
    },
  };
}
