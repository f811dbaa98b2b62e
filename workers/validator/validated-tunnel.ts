/**
 * Checks a tunnel between the two sides: rules 9.3 and 9.4 of docs/sgi.md, and those of sections 4, 5 and 7
 * that apply to its directions.
 */

import { requireContent } from '../exchange/values.ts';
import type { Tunnel } from '../gateway.ts';
import type { Report } from './report.ts';

export class ValidatedTunnel implements Tunnel {
  readonly #inner: Tunnel;
  readonly #report: Report;
  /** @throws Violation if the function is over */
  readonly #mustHold: (what: string) => void;
  #isRead = false;
  #isPulling = false;
  #isEnded = false;
  /** The handler extends the time in which calls are allowed. */
  #lasts = false;

  constructor(inner: Tunnel, report: Report, mustHold: (what: string) => void) {
    this.#inner = inner;
    this.#report = report;
    this.#mustHold = mustHold;
  }

  #use(what: string): void {
    if (!this.#lasts) this.#mustHold(what);
  }

  get read(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#iterate() };
  }

  #iterate(): AsyncIterator<Uint8Array> {
    this.#use('read');
    if (this.#isRead)
      throw this.#report.application('4.3', 'expected a tunnel to be read once, got a second reader');
    this.#isRead = true;
    const reader = this.#inner.read[Symbol.asyncIterator]();
    return {
      next: () => this.#pull(reader),
      return: async () => {
        await reader.return?.();
        return { value: undefined, done: true };
      },
    };
  }

  async #pull(reader: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    if (this.#isPulling)
      throw this.#report.application('4.3', 'expected one reader of the tunnel, but a pull is pending');
    this.#isPulling = true;
    try {
      const result = await reader.next();
      if (result.done !== true && !(result.value instanceof Uint8Array && result.value.length > 0)) {
        this.#report.server('4.2', 'expected pieces of bytes that are not empty');
      }
      return result;
    } finally {
      this.#isPulling = false;
    }
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#mustBeContent(chunk);
    const written = this.#write(chunk);
    written.catch(() => undefined);
    return written;
  }

  /** The error is thrown at the call and not reported through the promise (rule 2.8). */
  #mustBeContent(chunk: unknown): void {
    try {
      requireContent(chunk, 'a piece');
    } catch (error) {
      this.#report.application('2.8', (error as Error).message);
      throw error;
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#use('write');
    if (this.#isEnded) throw this.#report.application('9.3', 'expected nothing to be written after end');
    await this.#inner.write(chunk);
  }

  get writableBytes(): number {
    const room = this.#inner.writableBytes;
    if (!(Number.isInteger(room) && room >= 0))
      this.#report.server('5.6', `expected writableBytes to be a number of bytes, got ${room}`);
    return room;
  }

  end(): void {
    this.#use('end');
    this.#isEnded = true;
    this.#inner.end();
  }

  reset(code?: number): void {
    this.#use('reset');
    this.#inner.reset(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  atReturn(handler: (failed: boolean) => Promise<void>): void {
    this.#use('atReturn');
    this.#lasts = true;
    let calls = 0;
    this.#inner.atReturn(async (failed) => {
      if (++calls > 1) this.#report.server('9.4', 'expected the handler of the return to be called once');
      try {
        await handler(failed);
      } finally {
        this.#lasts = false;
      }
    });
  }
}
