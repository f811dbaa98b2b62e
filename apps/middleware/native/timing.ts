/**
 * How long a response took: up to the head in `Server-Timing`, and up to the end in a trailer for clients
 * that accept trailers.
 *
 * The difficulty it demonstrates: the duration of a response is only known long after its head has left.
 * Trailers exist for that.
 */
import type { FieldsInit, Middleware, PushedResponse, PushRequest } from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';

/** @param now milliseconds */
export function timing(now: () => number = () => performance.now()): Middleware {
  return (application) => (exchange) => application(new TimedExchange(exchange, now));
}

class TimedExchange extends WrappedExchange {
  readonly #now: () => number;
  readonly #startedMs: number;

  constructor(inner: WrappedExchange['inner'], now: () => number) {
    super(inner);
    this.#now = now;
    this.#startedMs = now();
  }

  #taken(name: string): string {
    return `${name};dur=${(this.#now() - this.#startedMs).toFixed(1)}`;
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, new FieldList(fields).append('server-timing', this.#taken('head')), body);
  }

  override end(trailers?: FieldsInit): void {
    // RFC 9110 section 6.5.1: a client that does not announce support for trailers may never read them.
    const isTold = this.request.fields.list('te').includes('trailers');
    super.end(isTold ? new FieldList(trailers).append('server-timing', this.#taken('total')) : trailers);
  }

  /** Only the page's own time is measured. */
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}
