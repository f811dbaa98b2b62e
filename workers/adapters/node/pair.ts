/**
 * What joins a `req` and a `res` to their exchange: bytes and ends in both directions, and the time for which the exchange is held.
 *
 * Node's code ends a response by callbacks, long after its handler has returned; an exchange ends with its application's function. So
 * the function lasts until the response has been handed on whole, and until what is still reading the request has ended.
 *
 * Who ends an exchange early ends it for both: Node's code hears of it as of a connection that has gone, in the next tick, and what it
 * still does with `req`, `res` or their socket reaches nobody and harms nobody.
 */
import type { Server } from 'node:http';
import { plainName } from '../../../wire/field-marks.ts';
import type { ExchangeClosedError } from '../../exchange/errors.ts';
import type { Closed, Exchange } from '../../gateway.ts';
import type { Associated } from '../associated.ts';
import { aborted, type PairOptions, PairResponse } from './pair-response.ts';
import { type Incoming, makeRequest, type RequestOwner, setVersion } from './request.ts';
import { type ReaderOwner, RequestReader } from './request-reader.ts';
import { closeResponse, makeResponse, markSent, type Outgoing } from './response.ts';
import { makeSocket } from './secure-socket.ts';
import { publishStart, type ServerFace } from './server-face.ts';
import type { ExchangeSocket, SocketOwner } from './socket.ts';

const PROTOCOL_ERROR = 0x1;

export class NodePair extends PairResponse implements RequestOwner, ReaderOwner, SocketOwner {
  readonly req: Incoming;
  override readonly res: Outgoing;
  override readonly socket: ExchangeSocket;
  readonly server: Server | null;
  #reader: RequestReader | null = null;
  #hold: PromiseWithResolvers<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  /** The function has ended: nothing more comes. */
  #isReleased = false;
  /** Promised responses that are still being written. */
  #pushing = 0;
  /** Native applications below that have not returned. */
  #running = 0;
  /** What the handler has given, where it was called by its server's event. */
  result: unknown;

  /** @param face of the server that has the handler or its listeners */
  constructor(
    exchange: Exchange,
    options: PairOptions,
    associated: Associated | null,
    face: ServerFace | null = null,
  ) {
    super(exchange, options, associated);
    this.server = face === null ? null : face.server;
    this.socket = makeSocket(exchange, this);
    this.req = makeRequest(exchange, this, face);
    this.res = makeResponse(this.req, this, face);
    setVersion(this.req, exchange.request.version);
    this.req.complete ||= exchange.request.protocol !== '';
    // A stream has no connection of its own to keep. Who sees one to keep reads the request to its end before it answers, as gRPC's
    // Connect does, and there is no bidirectional stream.
    // Of HTTP/1.0 Node thinks that there is none, and the server knows better.
    this.res.shouldKeepAlive = exchange.request.version !== '2';
    if (face !== null && face.timeoutMs > 0) this.socket.setTimeout(face.timeoutMs);
    publishStart(this);
  }

  // ---- the hold

  /** What the application's function gives: nothing when all is over already. */
  held(result: unknown): void | Promise<void> {
    const lasts = isThenable(result);
    // Heard in any case: a rejection that nobody handles would end the thread.
    if (lasts) result.then(undefined, (error) => this.fail(error));
    if (this.#failure !== null) throw this.#failure.error;
    if (!lasts && this.#isSettled) {
      this.#isReleased = true;
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

  /** Somebody reads the request, or is to begin in the next tick, and it has not come to its end. */
  get #isReading(): boolean {
    const { req } = this;
    return !req.complete && !req.destroyed && (req._consuming || req.readableFlowing === true);
  }

  protected override settleIfOver(): void {
    if (this.state === 'over') this.#readAway();
    if (this.#hold === null || !this.#isSettled) return;
    this.#isReleased = true;
    this.#hold.resolve();
  }

  /** Node's server reads away what nobody has read once the response is finished, so `end` and `close` come. Where nobody waits for them, nothing does. */
  #readAway(): void {
    const { req, socket } = this;
    if (!req._consuming && !req.destroyed && req.listenerCount('end') + req.listenerCount('close') > 0) {
      req.resume();
    }
    // A socket of one exchange is over with it.
    if (this.#isSettled && socket.listenerCount('close') > 0) process.nextTick(destroySocket, socket);
  }

  /** The function is over with it: what legacy code still does, such as flush what it has kept back, must reach nobody. */
  override fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = { error };
    this.cut(error instanceof Error ? error : aborted());
    this.#hold?.reject(error);
  }

  /** What has ended the function before its response was complete, for a native application that is to hear of it at its call. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  protected override readonly keepPush = (written: Promise<void>): void => {
    this.#pushing++;
    written
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#pushing--;
        this.settleIfOver();
      });
  };

  // ---- native applications below

  /** One has begun; the function lasts as long as its own. `folded` is null when it has the exchange itself. */
  delegated(
    result: void | Promise<void>,
    folded: { readonly isDirect: boolean; readonly isComplete: boolean } | null,
    fail: (error: unknown) => void,
  ): void {
    const isDirect = folded === null || folded.isDirect;
    if (isDirect && this.state === 'open') this.state = 'delegated';
    const returned = () => {
      // Of the exchange itself the host knows whether it is complete.
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

  /** It is for the layers above to answer, if that is still possible. */
  delegateFailed(): void {
    if (this.state === 'delegated') this.state = 'open';
  }

  /** A native application has sent the head, past Node's response, which is told. Null: it has written it itself. */
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

  /** A native application below has been interrupted as well, and may have something to clean up. */
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
   * Node's code is through with the connection. Not with CANCEL, even where nothing went wrong: Node's own HTTP/2 client takes a
   * response that ends so for a whole one, while a connection that is destroyed under HTTP/1.1 is an error to every client.
   */
  connectionDestroyed(): void {
    if (this.state === 'cut') return;
    if (this.state === 'over') {
      // The response leaves, and nothing more is read.
      if (this.#isReading) process.nextTick(abortRequest, this.req);
      return;
    }
    this.resetExchange();
    // Unless a native application had completed it.
    if (this.exchange.signal.aborted) this.wasCut(this.exchange.signal.reason);
  }

  /** As Node's server: the connection is destroyed unless somebody takes care of it. */
  timedOut(): void {
    const { req, res, socket, server } = this;
    let isHeard = !req.complete && req.emit('timeout', socket);
    isHeard = res.emit('timeout', socket) || isHeard;
    isHeard = (server?.emit('timeout', socket) ?? false) || isHeard;
    if (!isHeard) socket.destroy();
    socket.emit('timeout', socket);
  }

  /** Node takes the socket away when the response has been sent. */
  get message(): Outgoing | null {
    return this.state === 'over' && (this.res.socket as unknown) === null ? null : this.res;
  }

  // ---- the request

  get receivedBytes(): number {
    return this.#reader?.receivedBytes ?? 0;
  }

  pull(): void {
    if (this.state === 'cut') return;
    // Who begins to read when all is over finds the end, as on Node, which has read the rest away.
    if (this.#isReleased || (this.#reader === null && this.#isEmpty)) {
      this.requestEnded();
      return;
    }
    this.#reader ??= new RequestReader(this);
    this.#reader.pull();
  }

  /** What a request for a tunnel brings is no content. */
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

  /** Streams that destroy a request take its socket away first, so that it can still be answered. */
  requestDestroyed(error: Error | null): void {
    const { req } = this;
    const isEarly = !req.readableEnded || !req.complete;
    if (isEarly && (req.socket as unknown) !== null) this.socket.destroy(error);
    this.settleIfOver();
  }
}

/** A connection that breaks the protocol, or breaks, ends its socket with an error; one whose peer just goes has none. */
function connectionErrorOf(reason: Error): Error | null {
  if (reason.cause instanceof Error) return reason.cause;
  const { closedBy, resetCode } = reason as Partial<ExchangeClosedError>;
  return closedBy !== undefined && resetCode === PROTOCOL_ERROR ? reason : null;
}

function destroySocket(socket: ExchangeSocket): void {
  socket.destroy();
}

/** What Node's own server tells of a connection that is gone. */
function abortRequest(req: Incoming): void {
  if (!req.destroyed) req.destroy(aborted());
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
