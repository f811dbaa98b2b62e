/**
 * Runs the application again: if it failed before anything had happened, and if it says that another of its
 * own paths has the response (`x-internal-location`).
 *
 * The difficulty it demonstrates: recursion. The exchange must still be untouched, so each attempt is
 * watched: what it has sent, and whether it has read the body, which can be read once.
 */
import type {
  Application,
  Exchange,
  ExchangeBody,
  FieldsInit,
  GatewayError,
  Middleware,
  PushedResponse,
  PushRequest,
} from '../../../workers/gateway.ts';
import { FieldList, WrappedBody, WrappedExchange } from '../../../workers/middleware/compose.ts';
import { MovedExchange } from './mounting.ts';
import { rejection } from './rejection.ts';

const LOCATION = 'x-internal-location';
/** RFC 9110 section 9.2.2: doing them twice has the same effect as doing them once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export interface RetryOptions {
  /** The most runs for one exchange; this also ends a circle of internal locations. */
  readonly attempts?: number;
}

export function retry({ attempts = 3 }: RetryOptions = {}): Middleware {
  return (application) => async (exchange) => {
    let path = exchange.request.path;
    for (let left = attempts; ; left--) {
      const attempt = new Attempt(
        path === exchange.request.path ? exchange : new MovedExchange(exchange, path, ''),
      );
      const failure = await failureOf(application, attempt);
      if (attempt.location !== null) {
        if (left <= 1)
          throw new Error(
            `expected a response after ${attempts} runs, the last one refers to ${attempt.location}`,
          );
        path = attempt.location;
      } else if (failure === null) {
        return;
      } else if (left <= 1 || !attempt.mayBeRepeated) {
        throw failure.error;
      }
    }
  };
}

async function failureOf(application: Application, exchange: Exchange): Promise<{ error: unknown } | null> {
  try {
    await application(exchange);
    return null;
  } catch (error) {
    return { error };
  }
}

class Attempt extends WrappedExchange {
  #state: 'nothing happened' | 'something happened' | 'moved' = 'nothing happened';
  #location: string | null = null;
  #body: ExchangeBody | null = null;

  /** The path that is said to have the response. */
  get location(): string | null {
    return this.#location;
  }

  get mayBeRepeated(): boolean {
    return this.#state === 'nothing happened' && IDEMPOTENT.has(this.request.method) && !this.signal.aborted;
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const list = new FieldList(fields);
    const location = list.get(LOCATION);
    if (this.#state === 'moved' || location === undefined) {
      super.respond(status, list, body);
      this.#state = 'something happened';
      return;
    }
    if (!/^\/[^#\s]*$/.test(location)) throw new TypeError(`expected a path in ${LOCATION}, got ${location}`);
    if (this.#state === 'something happened') throw readAlready();
    this.#state = 'moved';
    this.#location = location;
  }

  /** The body of a response that refers elsewhere is not sent. */
  override write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state !== 'moved') return super.write(chunk);
    return this.signal.aborted ? rejection(this.signal.reason) : Promise.resolve();
  }

  override end(trailers?: FieldsInit): void {
    if (this.#state !== 'moved') super.end(trailers);
  }

  override get body(): ExchangeBody {
    this.#body ??= new WrappedBody(this.inner.body, () => {
      this.#state = 'something happened';
      return this.inner.body[Symbol.asyncIterator]();
    });
    return this.#body;
  }

  override push(request: PushRequest): Promise<PushedResponse | null> {
    this.#state = 'something happened';
    return super.push(request);
  }
}

function readAlready(): GatewayError {
  const message = `expected ${LOCATION} before any of the body was read`;
  return Object.assign(new Error(message), { code: 'SLUICE_BODY_USED' as const });
}
