/** The stream of a request (`req.stream`, `res.stream`), over `res`, and that of a promised response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, FieldsInit, PushedResponse } from '../../gateway.ts';
import { coded, type Http2Headers, type Lines, linesOf, pseudoOf } from './http2-headers.ts';
import { Http2SessionFace, type SessionOwner } from './http2-session.ts';
import { type Done, Http2StreamFace, type ResponseSink } from './http2-stream.ts';
import { flushSoon } from './node-write.ts';

const INTERNAL_ERROR = 0x2;

/** What the stream of a request needs of its pair. */
export interface StreamOwner extends SessionOwner {
  readonly exchange: Exchange;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The application has ended the response, or the exchange was cut off. */
  readonly isEnded: boolean;
  /** The code of the reset that ended the exchange; 0 if there was none. */
  readonly resetCode: number;
  inform(status: number, fields: FieldsInit): void;
  /** Resets the exchange with the application's code. */
  resetStream(code: number): void;
  /** Holds the exchange until a promised response has been written. */
  keepPush(written: Promise<void>): void;
}

type PushCallback = (error: Error | null, stream?: PushedStream, headers?: Http2Headers) => void;

export class RequestStream extends Http2StreamFace {
  readonly endAfterHeaders: boolean;
  readonly #owner: StreamOwner;
  #session: Http2SessionFace | null = null;
  #isReading = false;

  constructor(owner: StreamOwner) {
    super(new SinkOverResponse(owner));
    this.#owner = owner;
    const { req, res } = owner;
    this.endAfterHeaders = isBodiless(req);
    req.once('end', () => {
      if (Object.keys(req.trailers).length > 0) this.emit('trailers', req.trailers, 0);
    });
    // The application has written on `res`. Node emits the event then too, but sends no trailers of the stream.
    res.once('prefinish', () => {
      if (!this.writableEnded) this.emit('wantTrailers');
    });
    if (res.destroyed) process.nextTick(() => this.#responseClosed());
    else res.once('close', () => this.#responseClosed());
  }

  get session(): Http2SessionFace | undefined {
    if (this.destroyed) return undefined;
    this.#session ??= new Http2SessionFace(this.#owner);
    return this.#session;
  }
  get headRequest(): boolean {
    return this.#owner.req.method === 'HEAD';
  }
  protected get isRemoteClosed(): boolean {
    return this.#owner.req.complete;
  }

  #responseClosed(): void {
    const { req, res } = this.#owner;
    if (!res.writableFinished) {
      this.aborted = true;
      this.emit('aborted');
      this.destroy();
      return;
    }
    // If the application still reads the request, the stream closes when the request has ended.
    if (!this.#isReading || req.destroyed) this.destroy();
    else req.once('close', () => this.destroy());
  }

  // ---- the request

  override _read(): void {
    const { req } = this.#owner;
    if (this.#isReading) {
      req.resume();
      return;
    }
    this.#isReading = true;
    req.on('data', (piece: Buffer) => {
      this.received();
      if (!this.push(piece)) req.pause();
    });
    req.once('end', () => this.push(null));
    if (req.readableEnded) this.push(null);
  }

  // ---- pushes

  get pushAllowed(): boolean {
    return !this.destroyed && !this.sink.isEnded && this.#owner.exchange.capabilities.push;
  }

  pushStream(headers: Http2Headers, options: object | PushCallback, callback?: PushCallback): void {
    const done = (typeof options === 'function' ? options : callback) as PushCallback;
    if (typeof done !== 'function') {
      throw coded('ERR_INVALID_ARG_TYPE', 'The "callback" argument must be of type function.', TypeError);
    }
    if (!this.pushAllowed) throw coded('ERR_HTTP2_PUSH_DISABLED', 'HTTP/2 client has disabled push streams');
    const { exchange } = this.#owner;
    const method = (pseudoOf(headers, ':method') ?? 'GET') as 'GET' | 'HEAD';
    const path = (pseudoOf(headers, ':path') ?? '/') as string;
    const fields = linesOf(headers).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name.toLowerCase(), String(one)]),
    );
    const pushed = exchange.push({ path, method, fields }).then(
      (response) => {
        if (response === null) {
          done(
            coded(
              'ERR_HTTP2_OUT_OF_STREAMS',
              'No stream ID is available because maximum stream ID has been reached',
            ),
          );
          return;
        }
        const stream = new PushedStream(response, method === 'HEAD');
        const { authority, scheme } = exchange.request;
        done(null, stream, {
          ':path': path,
          ':method': method,
          ':authority': authority,
          ':scheme': scheme,
          ...headers,
        });
        return stream.ended;
      },
      (error: Error) => done(error),
    );
    this.#owner.keepPush(pushed);
  }
}

/** Whether the head announces no content (RFC 9112 section 6.3). The adapter adds transfer-encoding if content comes without a length. */
function isBodiless({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}

/** Sends the response through `res`, so that its checks and events apply. */
class SinkOverResponse implements ResponseSink {
  readonly #owner: StreamOwner;

  constructor(owner: StreamOwner) {
    this.#owner = owner;
  }

  get isStarted(): boolean {
    return this.#owner.res.headersSent;
  }
  get isEnded(): boolean {
    return this.#owner.isEnded;
  }
  get resetCode(): number {
    return this.#owner.resetCode;
  }
  inform(status: number, lines: Lines): void {
    try {
      this.#owner.inform(status, fieldsOf(lines));
    } catch (error) {
      this.#owner.fail(error);
    }
  }
  respond(status: number, lines: Lines): void {
    const { res } = this.#owner;
    // `respond` of node:http2 does not check values, so callers expect no exception. `writeHead` does check, and its error fails the exchange.
    try {
      res.writeHead(status, lines.flat() as never);
    } catch (error) {
      this.#owner.fail(error);
    }
    // A response which ends in this turn is sent in one message.
    flushSoon(res);
  }
  write(bytes: Buffer, done: Done): void {
    this.#owner.res.write(bytes, done);
  }
  end(trailers: Lines, done: Done): void {
    const { res } = this.#owner;
    try {
      if (trailers.length > 0) res.addTrailers(trailers as never);
    } catch (error) {
      this.#owner.fail(error);
    }
    res.end(done);
  }
  reset(code: number): void {
    this.#owner.resetStream(code);
  }
}

export class PushedStream extends Http2StreamFace {
  readonly endAfterHeaders = true;
  readonly headRequest: boolean;
  readonly pushAllowed = false;
  /** A promised request has no content. */
  protected readonly isRemoteClosed = true;

  constructor(response: PushedResponse, isHead: boolean) {
    super(new SinkOverPush(response));
    this.headRequest = isHead;
    this.push(null);
    void response.closed.then(({ how }) => {
      if (how === 'complete' || this.destroyed) return;
      this.aborted = true;
      this.emit('aborted');
      this.destroy();
    });
  }

  /** Resolves when everything has been written, or the stream has closed. */
  get ended(): Promise<void> {
    return new Promise((resolve) => {
      if (this.writableFinished || this.destroyed) resolve();
      else this.once('finish', resolve).once('close', resolve);
    });
  }

  pushStream(): never {
    throw coded('ERR_HTTP2_NESTED_PUSH', 'A push stream cannot initiate another push stream.');
  }
}

/** If the gateway refuses a promised response, only that response is reset, with a warning. The page is complete without it. */
class SinkOverPush implements ResponseSink {
  readonly #response: PushedResponse;
  #state: 'idle' | 'started' | 'ended' = 'idle';
  #resetCode = 0;

  constructor(response: PushedResponse) {
    this.#response = response;
    void response.closed.then(({ code }) => {
      this.#state = 'ended';
      this.#resetCode = code;
    });
  }

  get isStarted(): boolean {
    return this.#state !== 'idle';
  }
  get isEnded(): boolean {
    return this.#state === 'ended';
  }
  get resetCode(): number {
    return this.#resetCode;
  }
  inform(status: number, lines: Lines): void {
    this.#try(() => this.#response.inform(status, fieldsOf(lines)));
  }
  respond(status: number, lines: Lines): void {
    this.#state = 'started';
    this.#try(() => this.#response.respond(status, fieldsOf(lines)));
  }
  write(bytes: Buffer, done: Done): void {
    this.#response.write(bytes).then(() => done(), done);
  }
  end(trailers: Lines, done: Done): void {
    this.#state = 'ended';
    this.#try(() => this.#response.end(fieldsOf(trailers)));
    done();
  }
  reset(code: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#resetCode = code;
    this.#try(() => this.#response.reset(code));
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      const { code } = error as { code?: unknown };
      this.#response.reset(INTERNAL_ERROR);
      if (code !== 'SLUICE_EXCHANGE_CLOSED') process.emitWarning(error as Error);
    }
  }
}

function fieldsOf(lines: Lines): [name: string, value: string][] {
  return lines.flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name.toLowerCase(), String(one).trim()]),
  );
}
