/**
 * A limit to the request's body: 413 at once where its length is announced, with the first byte beyond it otherwise.
 *
 * The trouble it stands for: the limit is met in the middle of the application's reading, so the answer has to come from above
 * it, if nothing has been answered yet. Pulling is what lets a body in, so a refused one has not come.
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
      // When the head has gone the response breaks off, as after any failure.
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

  /** The limit was met: an error of that kind may also be from a smaller limit of the application's own. */
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
