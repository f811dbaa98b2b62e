/**
 * A limit for the request's body: 413 at once if its announced length is too large, otherwise with the first
 * byte beyond the limit.
 *
 * The difficulty it demonstrates: the limit is reached while the application reads, so the response must come
 * from a layer above it, if none has begun. A body is transferred only as it is pulled, so a refused body is
 * not transferred.
 */
import type { ExchangeBody, GatewayError, Middleware } from '../../../workers/gateway.ts';
import { WrappedBody } from '../../../workers/middleware/compose.ts';
import { WatchedExchange } from './watched-exchange.ts';

export function bodyLimit(limitBytes: number): Middleware {
  return (application) => async (exchange) => {
    const announced = Number(exchange.request.fields.get('content-length') ?? 0);
    const refuse = () => exchange.respond(413, {}, `at most ${limitBytes} bytes\n`);
    if (announced > limitBytes) return refuse();
    const limited = new LimitedExchange(exchange, limitBytes);
    try {
      await application(limited);
    } catch (error) {
      const isMet = limited.isOver && (error as GatewayError).code === 'SLUICE_BODY_TOO_LARGE';
      // If the head has left, the response breaks off, as after any failure.
      if (!isMet || !limited.isUnanswered) throw error;
      refuse();
    }
  };
}

class LimitedExchange extends WatchedExchange {
  readonly #body: ExchangeBody;
  #isOver = false;

  constructor(inner: WatchedExchange['inner'], limitBytes: number) {
    super(inner);
    this.#body = new WrappedBody(inner.body, () => this.#within(limitBytes));
  }

  override get body(): ExchangeBody {
    return this.#body;
  }

  /**
   * Whether this limit was reached: an error of that kind may also come from a smaller limit of the
   * application's own.
   */
  get isOver(): boolean {
    return this.#isOver;
  }

  async *#within(limitBytes: number): AsyncGenerator<Uint8Array> {
    let left = limitBytes;
    for await (const piece of this.inner.body) {
      left -= piece.length;
      if (left < 0) {
        this.#isOver = true;
        const message = `expected a body of at most ${limitBytes} bytes, got more`;
        throw Object.assign(new Error(message), { code: 'SLUICE_BODY_TOO_LARGE' });
      }
      yield piece;
    }
  }
}
