/**
 * `req` and `res` of an application whose server is one of node:http2. They are those of node:http with the members that only the
 * compatibility interface of node:http2 has.
 */
import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { coded, type Http2Headers } from './http2-headers.ts';
import type { RequestStream } from './http2-request-stream.ts';
import { PAIR } from './request.ts';

interface Paired {
  readonly [PAIR]: { readonly stream: RequestStream };
}

export class Http2Incoming extends IncomingMessage {
  get stream(): RequestStream {
    return (this as never as Paired)[PAIR].stream;
  }
  get authority(): string {
    return this.headers[':authority'] as string;
  }
  set authority(authority: string) {
    this.headers[':authority'] = authority;
  }
  get scheme(): string {
    return this.headers[':scheme'] as string;
  }
  set scheme(scheme: string) {
    this.headers[':scheme'] = scheme;
  }
}

export class Http2Outgoing extends ServerResponse {
  readonly #trailers: { [name: string]: unknown } = {};

  get stream(): RequestStream {
    return (this as never as Paired)[PAIR].stream;
  }

  /** A second call adds trailers, as on node:http2. On node:http it replaces them. */
  override addTrailers(headers: OutgoingHttpHeaders | readonly [string, string][]): void {
    const entries = Array.isArray(headers) ? headers : Object.entries(headers);
    for (const [name, value] of entries) this.setTrailer(name, value);
  }

  setTrailer(name: string, value: unknown): void {
    this.#trailers[name.trim().toLowerCase()] = value;
    super.addTrailers(this.#trailers as OutgoingHttpHeaders);
  }

  /** After the response has closed node:http2 ignores the call, while node:http throws. */
  override writeHead(status: number, reason?: unknown, headers?: unknown): this {
    return this.destroyed ? this : super.writeHead(status, reason as string, headers as OutgoingHttpHeaders);
  }

  override writeContinue(): boolean {
    if (this.headersSent) return false;
    super.writeContinue();
    return true;
  }

  createPushResponse(
    headers: Http2Headers,
    callback: (error: Error | null, pushed?: Http2ServerResponse) => void,
  ): void {
    if (this.destroyed) {
      process.nextTick(callback, coded('ERR_HTTP2_INVALID_STREAM', 'The stream has been destroyed'));
      return;
    }
    const { Http2ServerResponse } = process.getBuiltinModule('node:http2');
    this.stream.pushStream(headers, (error, stream) => {
      if (error !== null) callback(error);
      else callback(null, new Http2ServerResponse(stream as never));
    });
  }
}
