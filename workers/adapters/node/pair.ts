/**
 * Joins a `req` and a `res` to their exchange: bytes and ends in both directions, and how long the exchange is held.
 *
 * Node code ends a response in a callback, long after its handler has returned. An exchange, however, ends with its application's
 * function. The function therefore lasts until the whole response has been passed on and nobody reads the request any more.
 *
 * An early end, by any side, ends both messages. Node code learns of it in the next tick, as of a lost connection. Later calls on `req`,
 * `res` or their socket have no effect.
 */
import type { Server } from 'node:http';
import { plainName } from '../../../wire/field-marks.ts';
import type { ExchangeClosedError } from '../../exchange/errors.ts';
import type { Closed, Exchange } from '../../gateway.ts';
import type { Associated } from '../associated.ts';
import { RequestStream, type StreamOwner } from './http2-request-stream.ts';
import { aborted, INTERNAL_ERROR, type PairOptions, PairResponse } from './pair-response.ts';
import { hasListeners, type Incoming, makeRequest, type RequestOwner, setVersion } from './request.ts';
import { type ReaderOwner, RequestReader } from './request-reader.ts';
import { closeResponse, makeResponse, markSent, type Outgoing } from './response.ts';
import { makeSocket } from './secure-socket.ts';
import { publishStart, type ServerFace } from './server-face.ts';
import type { ExchangeSocket, SocketOwner } from './socket.ts';

const PROTOCOL_ERROR = 0x1;

export class NodePair extends PairResponse implements RequestOwner, ReaderOwner, SocketOwner, StreamOwner {
  readonly req: Incoming;
  override readonly res: Outgoing;
  override readonly socket: ExchangeSocket;
  readonly #face: ServerFace;
  #reader: RequestReader | null = null;
  #stream: RequestStream | null = null;
  #hold: PromiseWithResolvers<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  /** The function has ended: the exchange delivers nothing more. */
  #isReleased = false;
  /** How many promised responses are still being written. */
  #pushing = 0;
  /** How many native applications below have not returned. */
  #running = 0;
  /** The handler's result, if the server's event called it. */
  result: unknown;

  /** @param face of the server that has the handler or its listeners */
  constructor(exchange: Exchange, options: PairOptions, associated: Associated | null, face: ServerFace) {
    super(exchange, options, associated);
    this.#face = face;
    this.socket = makeSocket(exchange, this);
    const { version, protocol } = exchange.request;
    const kind = face.kindOf(version);
    this.req = makeRequest(exchange, this, kind);
    this.res = makeResponse(this.req, this, kind, face.responseOptions);
    if (face.uniqueHeaders !== null) face.tellUniqueHeaders(this.res);
    if (version !== '1.1') setVersion(this.req, version);
    if (protocol !== '') this.req.complete = true;
    // A stream has no connection of its own to keep alive. If this were true, Connect's gRPC would read the whole request before it
    // answers, and bidirectional calls would hang. For HTTP/1.0 Node would say false; the reactor decides that.
    this.res.shouldKeepAlive = version !== '2';
    if (face.timeoutMs > 0) this.socket.setTimeout(face.timeoutMs);
    publishStart(this);
  }

  get server(): Server {
    return this.#face.server;
  }

  get uniqueHeaders(): ReadonlySet<string> | null {
    return this.#face.uniqueHeaders;
  }

  // ---- the hold

  /** The result of the application's function: undefined if everything is over. */
  held(result: unknown): void | Promise<void> {
    this.returned();
    const lasts = isThenable(result);
    // Handled in any case, because an unhandled rejection would end the thread.
    if (lasts) result.then(undefined, (error) => this.fail(error));
    if (this.#failure !== null) throw this.#failure.error;
    if (!lasts && this.#isSettled) {
      this.#release();
      return;
    }
    this.#hold = Promise.withResolvers();
    void this.exchange.closed.then((closed) => this.#onClosed(closed));
    this.settleIfOver();
    return this.#hold.promise;
  }

  get #isSettled(): boolean {
    return this.state === 'over' && !this.#isReading && this.#pushing + this.#running === 0;
  }

  /** Somebody reads the request or will begin to in the next tick, and its end has not been reached. */
  get #isReading(): boolean {
    const { req } = this;
    return !req.complete && !req.destroyed && (req._consuming || req.readableFlowing === true);
  }

  protected override settleIfOver(): void {
    if (this.#hold === null || this.#isReleased || !this.#isSettled) return;
    this.#release();
    this.#hold.resolve();
  }

  /**
   * The server handles what is left of the request. Node's server discards an unread request after the response, so that `end` and `close`
   * are emitted; here they come at once, because waiting for a peer that has stopped sending would keep the exchange open.
   */
  #release(): void {
    this.#isReleased = true;
    const { req, socket } = this;
    if (!hasListeners(req) && !hasListeners(socket)) return;
    if (!req._consuming && !req.destroyed && req.listenerCount('end') + req.listenerCount('close') > 0) {
      req.resume();
    }
    // The socket belongs to one exchange and closes with it.
    if (socket.listenerCount('close') > 0) process.nextTick(destroySocket, socket);
  }

  /** Fails the application's function. Legacy code may still flush what it held back; that must not reach the peer. */
  override fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = { error };
    this.cut(error instanceof Error ? error : aborted());
    this.#hold?.reject(error);
  }

  /** The error that ended the function before its response was complete; a folded exchange throws it to its native application. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  override keepPush(written: Promise<void>): void {
    this.#pushing++;
    written
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#pushing--;
        this.settleIfOver();
      });
  }

  // ---- native applications below

  /** A native application has begun, and the function lasts as long as its own. `folded` is null if it has the exchange itself. */
  delegated(
    result: void | Promise<void>,
    folded: { readonly isDirect: boolean; readonly isComplete: boolean } | null,
    fail: (error: unknown) => void,
  ): void {
    const isDirect = folded === null || folded.isDirect;
    if (isDirect && this.state === 'open') this.state = 'delegated';
    const returned = () => {
      // If the application has the exchange itself, the host checks that it is complete.
      if (isDirect) {
        if (this.state === 'delegated') this.overByOther();
      } else if (!folded.isComplete) {
        fail(new Error('the application returned before its response was complete'));
      }
    };
    if (result === undefined) {
      returned();
      return;
    }
    this.#running++;
    result
      .then(returned, fail)
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#running--;
        this.settleIfOver();
        this.#rejectIfAlone();
      });
  }

  /** A native application has failed: the layers above answer, if they still can. */
  delegateFailed(): void {
    if (this.state === 'delegated') this.state = 'open';
  }

  /** Tells Node's response that a native application has sent the head. `flat` is null if Node's response wrote the head itself. */
  adopt(status: number, flat: readonly string[] | null): void {
    const { res } = this;
    res.statusCode = status;
    if (flat !== null) {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      for (let i = 0; i < flat.length; i += 2) res.appendHeader(plainName(flat[i]), flat[i + 1]);
    }
    markSent(res);
    this.headSentByOther();
  }

  // ---- an early end

  #onClosed(closed: Closed): void {
    if (closed.how === 'complete') this.settleIfOver();
    else this.wasCut(this.exchange.signal.reason);
  }

  protected override wasCut(reason: Error): void {
    this.cut(reason);
    this.#failure ??= { error: reason };
    this.#rejectIfAlone();
  }

  /** Waits for native applications below, which have been interrupted too and may clean up. */
  #rejectIfAlone(): void {
    if (this.#failure !== null && this.#running === 0) this.#hold?.reject(this.#failure.error);
  }

  protected override cut(reason: Error): boolean {
    if (!super.cut(reason)) return false;
    this.res.destroyed = true;
    process.nextTick(abortRequest, this.req);
    process.nextTick(closeResponse, this.res);
    this.socket.destroy(connectionErrorOf(reason));
    return true;
  }

  /**
   * The application has destroyed the socket. The reset is INTERNAL_ERROR and not CANCEL, because Node's own HTTP/2 client takes a response
   * that ends in CANCEL for complete, while a destroyed HTTP/1.1 connection is an error to every client.
   */
  connectionDestroyed(): void {
    if (this.state === 'cut') return;
    if (this.state === 'over') {
      // The response is still sent, and nothing more is read.
      if (this.#isReading) process.nextTick(abortRequest, this.req);
      return;
    }
    this.#resetWith(INTERNAL_ERROR);
  }

  #resetWith(code: number): void {
    this.resetExchange(code);
    // The exchange was not cut if a native application had completed it.
    if (this.exchange.signal.aborted) this.wasCut(this.exchange.signal.reason);
  }

  /** As on Node's server, the connection is destroyed unless somebody listens for `timeout`. */
  timedOut(): void {
    const { req, res, socket, server } = this;
    let isHeard = !req.complete && req.emit('timeout', socket);
    isHeard = res.emit('timeout', socket) || isHeard;
    isHeard = server.emit('timeout', socket) || isHeard;
    if (!isHeard) socket.destroy();
    socket.emit('timeout', socket);
  }

  /** Null when the response has been sent, as Node detaches the socket then. */
  get message(): Outgoing | null {
    return this.state === 'over' && (this.res.socket as unknown) === null ? null : this.res;
  }

  // ---- as a stream of node:http2

  get stream(): RequestStream {
    this.#stream ??= new RequestStream(this);
    return this.#stream;
  }

  get isEnded(): boolean {
    return this.state !== 'open' && this.state !== 'delegated';
  }

  get resetCode(): number {
    if (this.state !== 'cut') return 0;
    return (this.#failure?.error as Partial<ExchangeClosedError> | undefined)?.resetCode ?? INTERNAL_ERROR;
  }

  resetStream(code: number): void {
    if (this.state !== 'cut' && this.state !== 'over') this.#resetWith(code);
  }

  // ---- the request

  get receivedBytes(): number {
    return this.#reader?.receivedBytes ?? 0;
  }

  pull(): void {
    if (this.state === 'cut') return;
    // Reading that begins when everything is over finds the end, as on Node, which has discarded the rest by then.
    if (this.#isReleased || (this.#reader === null && this.#isEmpty)) {
      this.requestEnded();
      return;
    }
    this.#reader ??= new RequestReader(this);
    this.#reader.pull();
  }

  /** What follows the head of a tunnel request is not content. */
  get #isEmpty(): boolean {
    return this.exchange.request.protocol !== '' || this.exchange.body.isAtEnd;
  }

  received(): void {
    this.socket._unrefTimer();
  }

  requestEnded(): void {
    this.req.complete = true;
    if (!this.req.destroyed) this.req.push(null);
    this.settleIfOver();
  }

  /** A stream that destroys a request detaches its socket first, so that the response can still be sent. */
  requestDestroyed(error: Error | null): void {
    const { req } = this;
    const isEarly = !req.readableEnded || !req.complete;
    if (isEarly && (req.socket as unknown) !== null) this.socket.destroy(error);
    this.settleIfOver();
  }
}

/** The error that a socket closes with: a protocol error or a broken connection has one, a peer that leaves has none. */
function connectionErrorOf(reason: Error): Error | null {
  if (reason.cause instanceof Error) return reason.cause;
  const { closedBy, resetCode } = reason as Partial<ExchangeClosedError>;
  return closedBy !== undefined && resetCode === PROTOCOL_ERROR ? reason : null;
}

function destroySocket(socket: ExchangeSocket): void {
  socket.destroy();
}

/** Emits what Node's own server emits on a request whose connection is lost. */
function abortRequest(req: Incoming): void {
  if (!req.destroyed) req.destroy(aborted());
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
