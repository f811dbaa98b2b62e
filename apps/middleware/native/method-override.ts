/**
 * Replaces the request's method, for forms that can only send two and for proxies that allow few.
 *
 * The difficulty it demonstrates: the method decides what a response may contain and whether a request may be
 * repeated, and layers above have already acted on the original.
 */
import type { ExchangeRequest, Middleware } from '../../../workers/gateway.ts';
import { ChangedRequest, WrappedExchange } from '../../../workers/middleware/compose.ts';

const FIELD = 'x-http-method-override';
/** GET would turn a request with effects into a safe one; CONNECT asks for something else altogether. */
const ALLOWED = new Set(['PUT', 'PATCH', 'DELETE']);

export function methodOverride(): Middleware {
  return (application) => (exchange) => {
    const { method, fields } = exchange.request;
    const wanted = method === 'POST' ? fields.get(FIELD)?.toUpperCase() : undefined;
    if (wanted === undefined || !ALLOWED.has(wanted)) return application(exchange);
    return application(new OverriddenExchange(exchange, wanted));
  };
}

class OverriddenExchange extends WrappedExchange {
  readonly #request: ExchangeRequest;

  constructor(inner: WrappedExchange['inner'], method: string) {
    super(inner);
    this.#request = new ChangedRequest(inner.request, { method });
  }

  override get request(): ExchangeRequest {
    return this.#request;
  }
}
