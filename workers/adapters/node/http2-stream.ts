/**
 * A Duplex with the members of `ServerHttp2Stream`. An application whose server is one of node:http2 gets it as `req.stream` and
 * `res.stream`, and its `stream` listeners get it as their first argument.
 *
 * The thread has no HTTP/2 stream: the stream's number, its windows and its session stay with the reactor. Heads, content, trailers, interim
 * responses, pushes and resets go through the exchange.
 */
import { Duplex } from 'node:stream';
import { type FileHeaders, type FileOptions, respondWithFD, respondWithFile } from './http2-files.ts';
import { coded, type Http2Headers, type Lines, linesOf, statusOf } from './http2-headers.ts';

const NO_ERROR = 0;
const INTERNAL_ERROR = 0x2;

export type Done = (error?: Error | null) => void;

export interface RespondOptions {
  readonly endStream?: boolean;
  readonly waitForTrailers?: boolean;
}

/** Sends the response of a stream. No method throws: an error fails the response. */
export interface ResponseSink {
  /** The head has been sent. */
  readonly isStarted: boolean;
  /** The response has been ended or cut off. */
  readonly isEnded: boolean;
  /** The code of the reset that ended it; 0 if there was none. */
  readonly resetCode: number;
  inform(status: number, lines: Lines): void;
  respond(status: number, lines: Lines): void;
  write(bytes: Buffer, done: Done): void;
  end(trailers: Lines, done: Done): void;
  /** Has no effect on a complete response. */
  reset(code: number): void;
}

export abstract class Http2StreamFace extends Duplex {
  sentInfoHeaders: Http2Headers[] | undefined = undefined;
  sentTrailers: Http2Headers | undefined = undefined;
  aborted = false;
  protected readonly sink: ResponseSink;
  #sentHeaders: object | undefined = undefined;
  /** `asked`: `respond` had `waitForTrailers`; `ready`: `sendTrailers` may be called. */
  #trailers: 'none' | 'asked' | 'ready' | 'sent' = 'none';
  #endWaiting: Done | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(sink: ResponseSink) {
    super({ allowHalfOpen: true });
    this.sink = sink;
  }

  /** The request has no content. */
  abstract readonly endAfterHeaders: boolean;
  abstract readonly pushAllowed: boolean;
  /** The whole request has been received. */
  protected abstract readonly isRemoteClosed: boolean;

  /** The thread does not know it. */
  get id(): undefined {
    return undefined;
  }
  get pending(): boolean {
    return false;
  }
  get rstCode(): number {
    return this.sink.resetCode;
  }
  get headersSent(): boolean {
    return this.sink.isStarted;
  }
  get sentHeaders(): object | undefined {
    return this.#sentHeaders;
  }
  get bufferSize(): number {
    return this.writableLength;
  }
  get state(): object {
    return { localClose: Number(this.sink.isEnded), remoteClose: Number(this.isRemoteClosed) };
  }

  // ---- the response

  additionalHeaders(headers: Http2Headers): void {
    this.#mustBeOpen();
    if (this.headersSent) {
      throw coded(
        'ERR_HTTP2_HEADERS_AFTER_RESPOND',
        'Cannot specify additional headers after response initiated',
      );
    }
    const status = statusOf(headers, Number.NaN);
    if (status === 101) {
      throw coded(
        'ERR_HTTP2_STATUS_101',
        'HTTP status code 101 (Switching Protocols) is forbidden in HTTP/2',
      );
    }
    if (status < 100 || status >= 200) {
      throw coded(
        'ERR_HTTP2_INVALID_INFO_STATUS',
        `Invalid informational status code: ${status}`,
        RangeError,
      );
    }
    this.sink.inform(status, linesOf(headers));
    this.sentInfoHeaders ??= [];
    this.sentInfoHeaders.push(headers);
  }

  respond(headers: Http2Headers = {}, { endStream, waitForTrailers }: RespondOptions = {}): void {
    this.#mustBeOpen();
    if (this.headersSent) throw coded('ERR_HTTP2_HEADERS_SENT', 'Response has already been initiated.');
    const status = statusOf(headers, 200);
    const lines = linesOf(headers);
    this.sink.respond(status, lines);
    this.#sentHeaders = { ':status': status, ...Object.fromEntries(lines) };
    if (waitForTrailers === true) this.#trailers = 'asked';
    if (endStream === true) this.end();
  }

  respondWithFile(path: string | Buffer | URL, headers?: FileHeaders, options?: FileOptions): void {
    this.#mustBeOpen();
    respondWithFile(this, path, headers, options);
  }

  respondWithFD(fd: number | { readonly fd: number }, headers?: FileHeaders, options?: FileOptions): void {
    this.#mustBeOpen();
    respondWithFD(this, fd, headers, options);
  }

  sendTrailers(headers: Http2Headers): void {
    this.#mustBeOpen();
    if (this.#trailers === 'sent') {
      throw coded('ERR_HTTP2_TRAILERS_ALREADY_SENT', 'Trailing headers have already been sent');
    }
    if (this.#trailers !== 'ready') {
      throw coded(
        'ERR_HTTP2_TRAILERS_NOT_READY',
        'Trailing headers cannot be sent until after the wantTrailers event is emitted on the current Http2Stream',
      );
    }
    this.#trailers = 'sent';
    this.sentTrailers = headers;
    const done = this.#endWaiting as Done;
    this.#endWaiting = null;
    this.sink.end(linesOf(headers), done);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#timer?.refresh();
    if (!this.headersSent && !this.sink.isEnded) this.respond();
    this.sink.write(chunk, done);
  }

  override _final(done: Done): void {
    if (this.sink.isEnded) {
      done();
      return;
    }
    if (!this.headersSent) this.respond();
    if (this.#trailers === 'asked' && this.listenerCount('wantTrailers') > 0) {
      this.#trailers = 'ready';
      this.#endWaiting = done;
      this.emit('wantTrailers');
    } else this.sink.end([], done);
  }

  // ---- the end

  /** As on Node, NO_ERROR ends the response after everything that was written; any other code resets it at once. */
  close(code: number = NO_ERROR, callback?: () => void): void {
    if (typeof callback === 'function') this.once('close', callback);
    if (this.destroyed) return;
    if (code !== NO_ERROR || !this.headersSent) this.sink.reset(code);
    else if (!this.sink.isEnded) this.end();
  }

  /** An incomplete response ends in a reset, so that the peer does not take it for complete. */
  override _destroy(error: Error | null, done: Done): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.sink.reset(INTERNAL_ERROR);
    // Without a listener an `error` event would end the thread.
    done(this.listenerCount('error') > 0 ? error : null);
  }

  // ---- time, and members without effect

  setTimeout(ms: number, listener?: () => void): this {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (typeof listener === 'function') this.once('timeout', listener);
    this.#timer = ms > 0 && !this.destroyed ? setTimeout(() => this.emit('timeout'), ms).unref() : null;
    return this;
  }

  /** A piece of the request has been received. */
  protected received(): void {
    this.#timer?.refresh();
  }

  priority(): void {}

  #mustBeOpen(): void {
    if (this.destroyed || this.sink.isEnded) {
      throw coded('ERR_HTTP2_INVALID_STREAM', 'The stream has been destroyed');
    }
  }
}
