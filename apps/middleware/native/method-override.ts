/**
 * Another method than the one that came, for forms that can send two and for proxies that let few through.
 *
 * The trouble it stands for: the method decides what a response may have and whether a request may be repeated, and layers above have already
 * acted on another.
 */
import type { ExchangeRequest, Middleware } from '../../../workers/gateway.ts';
import { ChangedRequest, WrappedExchange } from '../../../workers/middleware/compose.ts';

const FIELD = 'x-http-method-override';
/** GET would make a request with effects a safe one; CONNECT asks for something else altogether. */
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
