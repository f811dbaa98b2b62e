/**
 * A promised response as a middleware passes it on, for a middleware that treats pushed responses like its
 * exchange. Everything goes through to the inner response, and a subclass overrides what it changes.
 */
import type { Closed, FieldsInit, PushedResponse } from '../gateway.ts';

export class WrappedResponse implements PushedResponse {
  readonly inner: PushedResponse;

  constructor(inner: PushedResponse) {
    this.inner = inner;
  }

  inform(status: number, fields?: FieldsInit): void {
    this.inner.inform(status, fields);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.inner.respond(status, fields, body);
  }

  write(chunk: Uint8Array | string): Promise<void> {
    return this.inner.write(chunk);
  }

  end(trailers?: FieldsInit): void {
    this.inner.end(trailers);
  }

  pad(toMultipleOf: number): void {
    this.inner.pad(toMultipleOf);
  }

  reset(code?: number): void {
    this.inner.reset(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
  }

  get writableBytes(): number {
    return this.inner.writableBytes;
  }

  get signal(): AbortSignal {
    return this.inner.signal;
  }

  get closed(): Promise<Closed> {
    return this.inner.closed;
  }
}
