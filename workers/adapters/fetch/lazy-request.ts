/**
 * A `Request` over an exchange whose parts are made when they are looked at. As `light-response.ts`: the platform's own is made for
 * whoever needs it, and most handlers want the method, the URL and a field or two.
 */
import { ReceivedFields } from '../../fields/received.ts';
import type { Exchange } from '../../gateway.ts';
import { streamOf } from './body-stream.ts';

export const PlatformRequest: typeof Request = globalThis.Request;

export class LazyRequest {
  readonly #exchange: Exchange;
  readonly #url: string;
  #headers: Headers | null = null;
  #platform: Request | null = null;
  #state: 'unread' | 'read' = 'unread';

  constructor(exchange: Exchange, url: string) {
    this.#exchange = exchange;
    this.#url = url;
  }

  get exchange(): Exchange {
    return this.#exchange;
  }

  /** Nobody has read the body or changed a field, as far as anybody can see. */
  get isUntouched(): boolean {
    return this.#state === 'unread' && this.#platform === null && this.#headers === null;
  }
  get isUnread(): boolean {
    return (
      this.#state === 'unread' &&
      !(this.#platform?.bodyUsed ?? false) &&
      !(this.#platform?.body?.locked ?? false)
    );
  }

  get platform(): Request {
    this.#platform ??= requestOf(this.#exchange, this.#url, this.headers);
    return this.#platform;
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
    return this.#exchange.signal;
  }
  get bodyUsed(): boolean {
    return this.#state === 'read' || (this.#platform?.bodyUsed ?? false);
  }
  get body(): ReadableStream<Uint8Array> | null {
    return hasBody(this.#exchange) ? this.platform.body : null;
  }

  async bytes(): Promise<Uint8Array> {
    // The platform's own way is needed where it has begun; it also has the words for what is read twice.
    if (this.#platform !== null || this.#state === 'read')
      return new Uint8Array(await this.platform.arrayBuffer());
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

Object.setPrototypeOf(LazyRequest.prototype, PlatformRequest.prototype);
for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(PlatformRequest.prototype))) {
  if (name in Object.getOwnPropertyDescriptors(LazyRequest.prototype)) continue;
  if (member.get !== undefined) {
    Object.defineProperty(LazyRequest.prototype, name, {
      configurable: true,
      get(this: LazyRequest) {
        return (this.platform as never)[name];
      },
    });
  } else if (typeof member.value === 'function') {
    Object.defineProperty(LazyRequest.prototype, name, {
      configurable: true,
      writable: true,
      value(this: LazyRequest, ...args: unknown[]) {
        return (this.platform as never as { [name: string]: (...args: unknown[]) => unknown })[name](...args);
      },
    });
  }
}

export function isLazyRequest(value: unknown): value is LazyRequest {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === LazyRequest.prototype
  );
}

/** Requests with these never have content in Fetch, whatever came. */
function hasBody({ request, body }: Exchange): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && !body.isAtEnd;
}

export function headersOf({ request }: Exchange): Headers {
  const flat = ReceivedFields.flat(request.fields);
  const headers = new Headers();
  if (request.authority !== '') headers.append('host', request.authority);
  for (let i = 0; i < flat.length; i += 2) headers.append(flat[i], flat[i + 1]);
  return headers;
}

export function requestOf(exchange: Exchange, url: string, headers: Headers): Request {
  const init = { method: exchange.request.method, headers, signal: exchange.signal };
  if (!hasBody(exchange)) return new PlatformRequest(url, init);
  return new PlatformRequest(url, { ...init, body: streamOf(exchange.body), duplex: 'half' } as RequestInit);
}
