/**
 * An application under a prefix, and paths that are other paths.
 *
 * The trouble they stand for: the application below sees another request than the one that came, and everything that reads the
 * request past it must not be offered; what it pushes is named by its own paths.
 */
import type {
  Application,
  ExchangeRequest,
  Middleware,
  PushedResponse,
  PushRequest,
} from '../../../workers/gateway.ts';
import { ChangedRequest, WrappedExchange } from '../../../workers/middleware/compose.ts';

/** Requests at or below `prefix` go to `mounted`, without the prefix; others to the application around which this stands. */
export function mount(prefix: string, mounted: Application): Middleware {
  if (!/^\/.*[^/]$/.test(prefix)) throw new TypeError(`expected a prefix such as /blog, got ${prefix}`);
  return (application) => (exchange) => {
    const { path } = exchange.request;
    if (!path.startsWith(prefix)) return application(exchange);
    const rest = path.slice(prefix.length);
    if (rest !== '' && rest[0] !== '/' && rest[0] !== '?') return application(exchange);
    return mounted(new MovedExchange(exchange, rest[0] === '/' ? rest : `/${rest}`, prefix));
  };
}

/** Requests whose path `change` answers with another go on as requests for that. */
export function rewrite(change: (path: string) => string): Middleware {
  return (application) => (exchange) => {
    const path = change(exchange.request.path);
    return application(path === exchange.request.path ? exchange : new MovedExchange(exchange, path, ''));
  };
}

export class MovedExchange extends WrappedExchange {
  readonly #request: ExchangeRequest;
  readonly #prefix: string;

  /** @param prefix what the peer has to put before a path of the application's */
  constructor(inner: WrappedExchange['inner'], path: string, prefix: string) {
    super(inner);
    this.#request = new ChangedRequest(inner.request, { path });
    this.#prefix = prefix;
  }

  override get request(): ExchangeRequest {
    return this.#request;
  }

  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push({ ...request, path: `${this.#prefix}${request.path}` });
  }
}
