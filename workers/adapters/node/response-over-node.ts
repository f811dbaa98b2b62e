/** A response of node:http or node:http2 as the interface has it; of an exchange, or one that was promised. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { plainName } from '../../../wire/field-marks.ts';
import { ExchangeClosedError, HostError } from '../../exchange/errors.ts';
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
import { refusedWrite, writtenTo } from './node-write.ts';

const CANCEL = 0x8;
const INTERNAL_ERROR = 0x2;

export class ResponseOverNode implements PushedResponse {
  readonly res: ServerResponse | Http2ServerResponse;
  /** Links to add to the head, in place of pushes. */
  readonly preloads: string[] = [];
  readonly #downgrade: Downgrade;
  readonly #abort = new AbortController();
  readonly #whenClosed = Promise.withResolvers<Closed>();
  #state: 'idle' | 'started' | 'ended' = 'idle';
  #reset: number | null = null;

  constructor(res: ServerResponse | Http2ServerResponse, downgrade: Downgrade) {
    this.res = res;
    this.#downgrade = downgrade;
    res.once('close', () => this.#onClose());
    // What Node reports of a connection that is gone is in `closed`.
    res.on('error', () => undefined);
  }

  get isStarted(): boolean {
    return this.#state !== 'idle' || this.res.headersSent;
  }

  get isComplete(): boolean {
    return this.#state === 'ended';
  }

  #onClose(): void {
    const rstCode = 'stream' in this.res ? (this.res.stream?.rstCode ?? CANCEL) : 0;
    // Node ends a stream's writable side when the peer resets it, so that finished alone says nothing there.
    if (this.res.writableFinished && this.#reset === null && rstCode === 0) {
      this.#whenClosed.resolve({ by: 'application', how: 'complete', code: 0 });
      return;
    }
    const code = rstCode;
    const closed: Closed =
      this.#reset === null
        ? { by: 'peer', how: 'reset', code: code === 0 ? CANCEL : code }
        : { by: 'application', how: 'reset', code: this.#reset };
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
    if (length !== -1 && declared !== -1 && declared !== length && status !== 304) {
      throw new HostError(
        'SLUICE_FIELD_INVALID',
        `expected content-length ${length}, the body's, got ${declared}`,
      );
    }
    const headers = headersOf([...flat, ...this.preloads.flatMap((link) => ['link', link])]);
    const { res } = this;
    // Node throws on one where there is no place for trailers.
    if (body !== undefined || (declared !== -1 && !('stream' in res))) delete headers.trailer;
    for (const [name, value] of Object.entries(headers)) {
      const set = JOINED.has(name) ? res.getHeader(name) : undefined;
      // One value is a string, as whoever looks at it above expects.
      const own = value.length === 1 ? (value[0] as string) : value;
      res.setHeader(name, set === undefined ? own : [set, value].flat().map(String));
    }
    if (length !== -1 && declared === -1 && status !== 204 && status !== 304)
      res.setHeader('content-length', length);
    res.statusCode = status;
    this.#state = body === undefined ? 'started' : 'ended';
    if (body !== undefined) {
      (res as ServerResponse).end(body);
      return;
    }
    if ('stream' in res) {
      res.writeHead(status);
      return;
    }
    // As Node's own first write: what is cut off within the turn has sent nothing.
    res.writeHead(status);
    process.nextTick(flush, res);
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
    // Behind a body of known length HTTP/1.1 has no place for any.
    const isChunked = 'stream' in res || !res.hasHeader('content-length');
    if (isChunked) res.addTrailers(headers as never);
    else if (this.#downgrade.trailers === 'refuse') refuse('trailers', 'the body has a length');
  }

  /** It has nothing to pad. */
  pad(toMultipleOf: number): void {
    requirePadding(toMultipleOf);
  }

  reset(code: number = CANCEL): void {
    requireResetCode(code);
    if (this.signal.aborted || this.#reset !== null || this.res.writableFinished) return;
    const { res } = this;
    if (!('stream' in res) && this.#downgrade.reset === 'refuse')
      refuse('reset', 'HTTP/1 can only close the connection');
    this.#state = 'ended';
    this.#reset = code;
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
    // Whoever mounted the application without a `next` has nobody else to be told.
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }

  get writableBytes(): number {
    const { res } = this;
    return this.#state === 'started' ? Math.max(0, res.writableHighWaterMark - res.writableLength) : 0;
  }

  /** What gives the lines is the application's, and may have called us. */
  #flatten(fields: FieldsInit | undefined): readonly string[] {
    const flat = flatten(fields);
    this.#mustBeIdle();
    return flat;
  }

  #mustBeIdle(): void {
    if (this.signal.aborted) throw this.signal.reason;
    if (!this.isStarted) return;
    throw new HostError(
      'SLUICE_RESPONSE_STARTED',
      'expected no response yet, its head has been sent already',
    );
  }

  #misplaced(): Error {
    if (this.signal.aborted) return this.signal.reason as Error;
    return this.#state === 'idle'
      ? new HostError('SLUICE_RESPONSE_NOT_STARTED', 'expected respond() before write() and end()')
      : new HostError('SLUICE_RESPONSE_ENDED', 'expected nothing after the end of the response');
  }
}

/** What the connection ended with, such as the error of Node's parser. */
function connectionErrorOf(res: ServerResponse | Http2ServerResponse): Error | undefined {
  const { req } = res as { readonly req?: { readonly socket: { readonly errored?: Error | null } | null } };
  return req?.socket?.errored ?? undefined;
}

function flush(res: ServerResponse): void {
  if (!res.destroyed && !res.writableEnded) res.flushHeaders();
}

/** Fields of which both sides may have some; of any other what the application says counts. */
const JOINED = new Set(['set-cookie', 'vary', 'link', 'www-authenticate']);

/** Node's servers have no say over HPACK here, so marks stay behind. */
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
