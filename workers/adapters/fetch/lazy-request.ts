/**
 * A `Request` over an exchange that makes its parts when they are first read. Most handlers read the method, the URL and a few fields; for
 * anything else it makes a Request of the platform, as `light-response.ts` does.
 */
import { ReceivedFields } from '../../fields/received.ts';
import type { Exchange } from '../../gateway.ts';
import { streamOf } from './body-stream.ts';
import { PLATFORM, platformRequest } from './kept-globals.ts';
import { takeMembers } from './platform-members.ts';

const PlatformRequest: typeof Request = platformRequest();

export class LazyRequest {
  readonly #exchange: Exchange;
  readonly #url: string;
  #headers: Headers | null = null;
  #platform: Request | null = null;
  #signal: AbortSignal | null = null;
  #state: 'unread' | 'read' = 'unread';

  constructor(exchange: Exchange, url: string) {
    this.#exchange = exchange;
    this.#url = url;
  }

  get exchange(): Exchange {
    return this.#exchange;
  }

  /** The body has not been read. */
  get isUnread(): boolean {
    return (
      this.#state === 'unread' &&
      !(this.#platform?.bodyUsed ?? false) &&
      !(this.#platform?.body?.locked ?? false)
    );
  }

  get platform(): Request {
    if (this.#platform !== null) {
      // The platform's Request has a copy of the fields, and the handler may have changed the original since.
      if (this.#headers !== null) copyFields(this.#headers, this.#platform.headers);
      return this.#platform;
    }
    if (this.#state === 'unread') {
      this.#platform = requestOf(this.#exchange, this.#url, this.headers, this.signal);
    } else {
      const { method, headers, signal } = this;
      this.#platform = new PlatformRequest(this.#url, { method, headers, signal, body: '' });
      // Marks its body as read, so that a second reading fails.
      void this.#platform.arrayBuffer();
    }
    return this.#platform;
  }

  get [PLATFORM](): Request {
    return this.platform;
  }
  get method(): string {
    return this.#exchange.request.method;
  }
  get url(): string {
    return this.#url;
  }
  get headers(): Headers {
    this.#headers ??= headersOf(this.#exchange);
    return this.#headers;
  }
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#exchange);
    return this.#signal;
  }
  get bodyUsed(): boolean {
    return this.#state === 'read' || (this.#platform?.bodyUsed ?? false);
  }
  get body(): ReadableStream<Uint8Array> | null {
    return hasBody(this.#exchange) ? this.platform.body : null;
  }

  async bytes(): Promise<Uint8Array> {
    // If the platform's Request exists it must read the body. It also throws the right error for a second reading.
    if (this.#platform !== null || this.#state === 'read')
      return new Uint8Array(await this.platform.arrayBuffer());
    if (!hasBody(this.#exchange)) return new Uint8Array(0);
    this.#state = 'read';
    return this.#exchange.body.bytes(Number.MAX_SAFE_INTEGER);
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer as ArrayBuffer;
  }
}

takeMembers(LazyRequest.prototype, PlatformRequest.prototype);

export function isLazyRequest(value: unknown): value is LazyRequest {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === LazyRequest.prototype
  );
}

/** In Fetch a GET or HEAD request never has a body, even if the peer sent content. */
function hasBody({ request, body }: Exchange): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && !body.isAtEnd;
}

function copyFields(from: Headers, to: Headers): void {
  for (const [name] of [...to]) to.delete(name);
  for (const [name, value] of from) to.append(name, value);
}

export function headersOf({ request }: Exchange): Headers {
  const flat = ReceivedFields.flat(request.fields);
  const headers = new Headers();
  if (request.authority !== '') headers.append('host', request.authority);
  for (let i = 0; i < flat.length; i += 2) headers.append(flat[i], flat[i + 1]);
  return headers;
}

/** Aborts when the exchange does. The reason is an AbortError, whose name handlers look for; its cause is the exchange's reason. */
export function signalOf({ signal }: Exchange): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    const { message } = signal.reason as Error;
    controller.abort(new DOMException(message, { name: 'AbortError', cause: signal.reason } as never));
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

export function requestOf(exchange: Exchange, url: string, headers: Headers, signal: AbortSignal): Request {
  const init = { method: exchange.request.method, headers, signal };
  if (!hasBody(exchange)) return new PlatformRequest(url, init);
  return new PlatformRequest(url, { ...init, body: streamOf(exchange.body), duplex: 'half' } as RequestInit);
}
