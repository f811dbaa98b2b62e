/**
 * Cross-origin resource sharing (Fetch Standard, section 3.3).
 *
 * The difficulty it demonstrates: it answers some requests itself and adds fields to the responses of others,
 * including errors.
 */
import type { FieldsInit, Middleware, PushedResponse, PushRequest } from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';

export interface CorsOptions {
  /** For example `https://app.example`. */
  readonly origins: readonly string[];
  readonly methods?: readonly string[];
  readonly credentials?: boolean;
  /** Seconds. */
  readonly maxAge?: number;
}

const DEFAULT_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];

export function cors({
  origins,
  methods = DEFAULT_METHODS,
  credentials = false,
  maxAge = 600,
}: CorsOptions): Middleware {
  const allowed = new Set(origins);
  return (application) => (exchange) => {
    const { fields, method } = exchange.request;
    const origin = fields.get('origin');
    const asked = fields.get('access-control-request-method');
    const shared: Record<string, string> = {};
    if (origin !== undefined && allowed.has(origin)) {
      shared['access-control-allow-origin'] = origin;
      if (credentials) shared['access-control-allow-credentials'] = 'true';
    }
    if (method !== 'OPTIONS' || origin === undefined || asked === undefined) {
      return application(new SharedExchange(exchange, shared));
    }
    const preflight = new FieldList(shared)
      .add('vary', 'origin')
      .add('vary', 'access-control-request-headers');
    if (allowed.has(origin)) {
      preflight.set('access-control-allow-methods', methods.join(', ')).set('access-control-max-age', maxAge);
      const headers = fields.joined('access-control-request-headers');
      if (headers !== undefined) preflight.set('access-control-allow-headers', headers);
    }
    exchange.respond(204, preflight, '');
  };
}

class SharedExchange extends WrappedExchange {
  readonly #shared: Record<string, string>;

  constructor(inner: WrappedExchange['inner'], shared: Record<string, string>) {
    super(inner);
    this.#shared = shared;
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const list = new FieldList(fields).add('vary', 'origin');
    for (const [name, value] of Object.entries(this.#shared)) list.set(name, value);
    super.respond(status, list, body);
  }

  /** Pushed responses belong to the page's own origin. */
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}
