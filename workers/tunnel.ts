/**
 * An accepted tunnel: the exchange's two byte streams under another name, and what is to happen when the application's
 * function is over before they are.
 */
import type { HostedExchange } from './exchange.ts';
import type { Tunnel } from './gateway.ts';
import { valueInvalid } from './values.ts';

export class HostedTunnel implements Tunnel {
  readonly #exchange: HostedExchange;
  #atReturn: ((failed: boolean) => Promise<void>) | null = null;

  constructor(exchange: HostedExchange) {
    this.#exchange = exchange;
  }

  get read(): AsyncIterable<Uint8Array> {
    return this.#exchange.body;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#exchange.write(chunk);
  }

  /** As `write` of a chunk that need not wait; false: it would, and nothing was sent. */
  tryWrite(chunk: Uint8Array): boolean {
    return this.#exchange.tryWrite(chunk);
  }

  get writableBytes(): number {
    return this.#exchange.writableBytes;
  }

  end(): void {
    this.#exchange.end();
  }

  reset(code?: number): void {
    this.#exchange.reset(code);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#exchange[Symbol.asyncDispose]();
  }

  atReturn(handler: (failed: boolean) => Promise<void>): void {
    if (typeof handler !== 'function') throw valueInvalid('a function to call at the return', handler);
    this.#atReturn = handler;
  }

  /** The host's: the application's function is over. */
  async returned(failed: boolean): Promise<void> {
    const handler = this.#atReturn;
    this.#atReturn = null;
    if (handler !== null) await handler(failed);
  }
}
