/** A node:http or node:http2 response in the form of the native interface: that of an exchange, or a promised one. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { plainName } from '../../../wire/field-marks.ts';
import { ExchangeClosedError } from '../../exchange/errors.ts';
import { notStartedOrEnded, responseStarted } from '../../exchange/refusals.ts';
import { lacksLength, requireLength } from '../../exchange/response-rules.ts';
import {
  requireContent,
  requireFinalStatus,
  requireInterimStatus,
  requirePadding,
  requireResetCode,
} from '../../exchange/values.ts';
import { contentLengthOf, flatten, flattenTrailers, requireNoContentLength } from '../../fields/sent.ts';
import type { Closed, FieldsInit, PushedResponse } from '../../gateway.ts';
import { type Downgrade, refuse } from '../downgrade.ts';
import { JOINED_FIELDS } from '../joined-fields.ts';
import { flushSoon, refusedWrite, writtenTo } from './node-write.ts';

const CANCEL = 0x8;
const INTERNAL_ERROR = 0x2;

export class ResponseOverNode implements PushedResponse {
  readonly res: ServerResponse | Http2ServerResponse;
  /** Link values for the head, instead of pushes. */
  readonly preloads: string[] = [];
  readonly #downgrade: Downgrade;
  readonly #abort = new AbortController();
  readonly #whenClosed = Promise.withResolvers<Closed>();
  #state: 'idle' | 'started' | 'ended' = 'idle';

  constructor(res: ServerResponse | Http2ServerResponse, downgrade: Downgrade) {
    this.res = res;
    this.#downgrade = downgrade;
    res.once('close', () => this.#onClose());
    // `closed` tells about a lost connection.
    res.on('error', () => undefined);
  }

  get isStarted(): boolean {
    return this.#state !== 'idle' || this.res.headersSent;
  }

  get isComplete(): boolean {
    return this.#state === 'ended';
  }

  #onClose(): void {
    if (this.signal.aborted) return;
    const rstCode = 'stream' in this.res ? (this.res.stream?.rstCode ?? CANCEL) : 0;
    // Node finishes a stream that the peer resets, so `writableFinished` alone does not tell that the response was sent.
    if (this.res.writableFinished && rstCode === 0) {
      this.#whenClosed.resolve({ by: 'application', how: 'complete', code: 0 });
      return;
    }
    this.#cut({ by: 'peer', how: 'reset', code: rstCode === 0 ? CANCEL : rstCode });
  }

  #cut(closed: Closed): void {
    this.#abort.abort(new ExchangeClosedError(closed, connectionErrorOf(this.res)));
    this.#whenClosed.resolve(closed);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get closed(): Promise<Closed> {
    return this.#whenClosed.promise;
  }

  inform(status: number, fields?: FieldsInit): void {
    this.#mustBeIdle();
    requireInterimStatus(status);
    const flat = this.#flatten(fields);
    requireNoContentLength(flat);
    const headers = headersOf(flat);
    const { res } = this;
    if ('stream' in res) res.stream?.additionalHeaders({ ':status': status, ...headers });
    else if (status === 100) res.writeContinue();
    else if (status === 102) res.writeProcessing();
    else if (status === 103 && headers.link !== undefined) res.writeEarlyHints(headers as { link: string[] });
    else if (this.#downgrade.informational === 'refuse')
      refuse('informational', `node:http does not send ${status}`);
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    this.#mustBeIdle();
    requireFinalStatus(status);
    const flat = this.#flatten(fields);
    const declared = contentLengthOf(flat);
    if (body !== undefined) requireContent(body, 'a body');
    const length = body === undefined ? -1 : Buffer.byteLength(body);
    if (length !== -1) requireLength(declared, length, status);
    const headers = headersOf([...flat, ...this.preloads.flatMap((link) => ['link', link])]);
    const { res } = this;
    // Node throws if `Trailer` is set on a response that cannot have trailers.
    if (body !== undefined || (declared !== -1 && !('stream' in res))) delete headers.trailer;
    for (const [name, value] of Object.entries(headers)) {
      const set = JOINED_FIELDS.has(name) ? res.getHeader(name) : undefined;
      // Layers above expect a string for a single value.
      const own = value.length === 1 ? (value[0] as string) : value;
      res.setHeader(name, set === undefined ? own : [set, value].flat().map(String));
    }
    if (length !== -1 && lacksLength(declared, status)) res.setHeader('content-length', length);
    res.statusCode = status;
    this.#state = body === undefined ? 'started' : 'ended';
    if (body !== undefined) {
      (res as ServerResponse).end(body);
      return;
    }
    (res as ServerResponse).writeHead(status);
    // node:http2 sends the head at once.
    if (!('stream' in res)) flushSoon(res);
  }

  write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state !== 'started') return refusedWrite(this.#misplaced());
    requireContent(chunk, 'a piece');
    return writtenTo(this.res, chunk, this.signal);
  }

  end(trailers?: FieldsInit): void {
    if (this.#state !== 'started') throw this.#misplaced();
    const headers = headersOf(flattenTrailers(trailers));
    if (this.#state !== 'started') throw this.#misplaced();
    if (Object.keys(headers).length > 0) this.#addTrailers(headers);
    this.#state = 'ended';
    this.res.end();
  }

  #addTrailers(headers: { [name: string]: string[] }): void {
    const { res } = this;
    // HTTP/1.1 has no trailers after a body of known length.
    const isChunked = 'stream' in res || !res.hasHeader('content-length');
    if (isChunked) res.addTrailers(headers as never);
    else if (this.#downgrade.trailers === 'refuse') refuse('trailers', 'the body has a length');
  }

  /** Node's servers do not pad. */
  pad(toMultipleOf: number): void {
    requirePadding(toMultipleOf);
  }

  reset(code: number = CANCEL): void {
    requireResetCode(code);
    if (this.signal.aborted || this.res.writableFinished) return;
    const { res } = this;
    if (!('stream' in res) && this.#downgrade.reset === 'refuse')
      refuse('reset', 'HTTP/1 can only close the connection');
    this.#state = 'ended';
    // At once, so that a layer above that writes on learns that the exchange is over, and does not count as failed.
    this.#cut({ by: 'application', how: 'reset', code });
    if ('stream' in res) res.stream?.close(code);
    else res.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isComplete) this.reset();
    await this.closed;
  }

  /** The application has failed. */
  fail(error: unknown): void {
    if (this.isStarted) {
      this.reset(INTERNAL_ERROR);
      this.res.destroy();
    } else {
      this.respond(500, { 'content-type': 'text/plain; charset=utf-8' }, '500 Internal Server Error\n');
    }
    // Mounted without `next`, there is no other way to report the failure.
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }

  get writableBytes(): number {
    const { res } = this;
    return this.#state === 'started' ? Math.max(0, res.writableHighWaterMark - res.writableLength) : 0;
  }

  /** The iterable is the application's, and may have called this object. */
  #flatten(fields: FieldsInit | undefined): readonly string[] {
    const flat = flatten(fields);
    this.#mustBeIdle();
    return flat;
  }

  #mustBeIdle(): void {
    if (this.signal.aborted) throw this.signal.reason;
    if (!this.isStarted) return;
    throw responseStarted();
  }

  #misplaced(): Error {
    if (this.signal.aborted) return this.signal.reason as Error;
    return notStartedOrEnded(this.#state === 'idle');
  }
}

/** The error that the connection ended with, such as that of Node's parser. */
function connectionErrorOf(res: ServerResponse | Http2ServerResponse): Error | undefined {
  const { req } = res as { readonly req?: { readonly socket: { readonly errored?: Error | null } | null } };
  return req?.socket?.errored ?? undefined;
}

/** Node's servers offer no control over HPACK, so marks are dropped. */
function headersOf(flat: readonly string[]): { [name: string]: string[] } {
  const headers: { [name: string]: string[] } = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = plainName(flat[i]);
    const values = headers[name];
    if (values === undefined) headers[name] = [flat[i + 1]];
    else values.push(flat[i + 1]);
  }
  return headers;
}
