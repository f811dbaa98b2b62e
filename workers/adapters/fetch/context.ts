/** What a Fetch handler gets beside the request: Hono's `c.env` and `c.executionCtx`. */
import type { Exchange, RemoteAddress, TlsConnection } from '../../gateway.ts';

export class FetchContext {
  readonly exchange: Exchange;
  #waiting: Promise<unknown>[] | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get remote(): RemoteAddress {
    return this.exchange.request.remote;
  }

  get tls(): TlsConnection | null {
    return this.exchange.request.tls;
  }

  /** The exchange is held until this has settled; what it rejects with is the application's failure. */
  waitUntil(promise: Promise<unknown>): void {
    this.#waiting ??= [];
    this.#waiting.push(promise);
    // It is looked at when the response is out.
    promise.catch(() => undefined);
  }

  /** There is no origin behind the application that could answer for it. */
  passThroughOnException(): void {}

  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  async waited(): Promise<void> {
    for (const promise of this.#waiting ?? []) await promise;
  }
}
