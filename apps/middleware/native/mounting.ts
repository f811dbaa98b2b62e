/**
 * An application under a prefix, and paths that map to other paths.
 *
 * The difficulty they demonstrate: the application below sees another request than the one that arrived.
 * Everything that reads the original request directly must be withheld, and the paths of pushes must be
 * translated back.
 */
import type {
  Application,
  ExchangeRequest,
  Middleware,
  PushedResponse,
  PushRequest,
} from '../../../workers/gateway.ts';
import { ChangedRequest, WrappedExchange } from '../../../workers/middleware/compose.ts';

/**
 * Passes requests at or below `prefix` to `mounted`, without the prefix, and all others to the wrapped
 * application.
 */
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

/** Passes requests on under the path that `change` returns. */
export function rewrite(change: (path: string) => string): Middleware {
  return (application) => (exchange) => {
    const path = change(exchange.request.path);
    return application(path === exchange.request.path ? exchange : new MovedExchange(exchange, path, ''));
  };
}

export class MovedExchange extends WrappedExchange {
  readonly #request: ExchangeRequest;
  readonly #prefix: string;

  /** @param prefix what a peer must put before a path of the application */
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
