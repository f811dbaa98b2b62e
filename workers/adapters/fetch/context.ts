/** The second and third argument of a Fetch handler: Hono's `c.env` and `c.executionCtx`. */
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

  /** Holds the exchange until the promise has settled. A rejection is the application's failure. */
  waitUntil(promise: Promise<unknown>): void {
    this.#waiting ??= [];
    this.#waiting.push(promise);
    // `waited` reports the rejection when the response has been sent.
    promise.catch(() => undefined);
  }

  /** Without effect: there is no origin behind the application that could answer instead. */
  passThroughOnException(): void {}

  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  async waited(): Promise<void> {
    for (const promise of this.#waiting ?? []) await promise;
  }
}
