/**
 * The request side of an exchange over a Request of another server. Its response is held (`held-exchange.ts`) and piped, because there is
 * no exchange above that could send it.
 */
import { capabilitiesOf, NOTHING_WITHHELD, requireFeatures } from '../../exchange/capabilities.ts';
import { ExchangeClosedError, HostError } from '../../exchange/errors.ts';
import { requirePadding, requireResetCode } from '../../exchange/values.ts';
import { ReceivedFields } from '../../fields/received.ts';
import type {
  Capabilities,
  Closed,
  Exchange,
  ExchangeBody,
  ExchangeRequest,
  ExtensionKey,
  Feature,
  Fields,
  Tunnel,
} from '../../gateway.ts';
import { WrappedBody } from '../../middleware/wrapped-body.ts';

const NEVER = new AbortController().signal;
const CANCELLED: Closed = Object.freeze({ by: 'peer', how: 'reset', code: 0x8 });
const NO_FIELDS = new ReceivedFields([]);

export class ExchangeOverFetch implements Exchange {
  readonly request: ExchangeRequest;
  readonly capabilities: Capabilities = Object.freeze({
    ...capabilitiesOf('1.0', false, false),
    reset: false,
  });
  readonly withheld = NOTHING_WITHHELD;
  readonly body: ExchangeBody;
  readonly draining: AbortSignal = NEVER;
  readonly #abort = new AbortController();
  #isOver = false;
  readonly #whenClosed = Promise.withResolvers<Closed>();

  constructor(request: Request) {
    this.request = requestOf(request);
    const hasBody = request.body !== null;
    let isRead = !hasBody;
    this.body = new WrappedBody(
      {
        get isAtEnd() {
          return isRead;
        },
      } as ExchangeBody,
      () =>
        pieces(request, this.#abort.signal, () => {
          isRead = true;
        }),
    );
    const { signal } = request;
    const cut = () => this.#cut(CANCELLED);
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
  }

  /** The reader of the response has cancelled it. */
  cancelled(): void {
    this.#cut(CANCELLED);
  }

  #cut(closed: Closed): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort(new ExchangeClosedError(closed));
    this.#whenClosed.resolve(closed);
  }

  /** The whole response has been read. */
  completed(): void {
    this.#isOver = true;
    this.#whenClosed.resolve({ by: 'application', how: 'complete', code: 0 });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get closed(): Promise<Closed> {
    return this.#whenClosed.promise;
  }
  get trailers(): Promise<Fields> {
    return Promise.resolve(NO_FIELDS);
  }
  get writableBytes(): number {
    return 0;
  }

  require(...features: readonly Feature[]): void {
    requireFeatures(this, features);
  }
  extension<T>(_key: ExtensionKey<T>): T | null {
    return null;
  }
  inform(): void {}
  pad(toMultipleOf: number): void {
    requirePadding(toMultipleOf);
  }
  /** Without effect: a Request does not tell its connection. */
  closeConnection(): void {}
  async push(): Promise<null> {
    return null;
  }
  accept(): Tunnel {
    throw new HostError('SLUICE_NOT_A_TUNNEL', 'expected a request for a tunnel, got a Request');
  }
  reset(code = 0x8): void {
    requireResetCode(code);
    this.#cut({ by: 'application', how: 'reset', code });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
  }

  // ---- the response, which the held exchange handles itself

  respond(): never {
    throw unreachable();
  }
  async write(): Promise<never> {
    throw unreachable();
  }
  end(): never {
    throw unreachable();
  }
}

function unreachable(): Error {
  return new Error('expected the held exchange to answer for itself');
}

function requestOf(request: Request): ExchangeRequest {
  const url = new URL(request.url);
  const flat: string[] = [];
  for (const [name, value] of request.headers) if (name !== 'host') flat.push(name, value);
  return {
    method: request.method,
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    path: `${url.pathname}${url.search}`,
    protocol: '',
    fields: new ReceivedFields(flat),
    version: '1.1',
    remote: { address: '', port: 0 },
    tls: null,
    priority: { urgency: 3, incremental: false },
  };
}

/** The platform does not end a Request's body when its signal aborts, so the reader is cancelled here. */
async function* pieces(request: Request, signal: AbortSignal, onEnd: () => void): AsyncGenerator<Uint8Array> {
  if (request.body !== null) {
    const reader = (request.body as ReadableStream<Uint8Array>).getReader();
    const cut = () => void reader.cancel(signal.reason).catch(() => undefined);
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    try {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
      if (signal.aborted) throw signal.reason;
    } finally {
      signal.removeEventListener('abort', cut);
      reader.releaseLock();
    }
  }
  onEnd();
}
