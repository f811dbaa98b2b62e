/**
 * An accepted tunnel: it presents the two byte streams of its exchange, and decides what happens if the
 * application's function ends before they do.
 */
import type { Exchange, Tunnel } from '../gateway.ts';
import { valueInvalid } from './values.ts';

/** The exchange that was accepted as a tunnel. */
export interface Tunnelled extends Pick<Exchange, 'body' | 'write' | 'writableBytes' | 'end' | 'reset'> {
  /**
   * Like `write`, for a piece that need not wait. @returns false if it would have to wait; nothing was sent
   */
  tryWrite(bytes: Uint8Array): boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

export class HostedTunnel implements Tunnel {
  readonly #exchange: Tunnelled;
  #atReturn: ((failed: boolean) => Promise<void>) | null = null;

  constructor(exchange: Tunnelled) {
    this.#exchange = exchange;
  }

  get read(): AsyncIterable<Uint8Array> {
    return this.#exchange.body;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#exchange.write(chunk);
  }

  /** As `Tunnelled`. */
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

  /** The host calls this when the application's function is over. */
  async returned(failed: boolean): Promise<void> {
    const handler = this.#atReturn;
    this.#atReturn = null;
    if (handler !== null) await handler(failed);
  }
}
