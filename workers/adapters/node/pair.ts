/**
 * What joins a `req` and a `res` to their exchange: bytes and ends in both directions, and the time for which the exchange is held.
 *
 * Node's code ends a response by callbacks, long after its handler has returned; an exchange ends with its application's function. So
 * the function lasts until the response has been handed on whole, and until what is still reading the request has ended.
 */
import type { EventEmitter } from 'node:events';
import { plainName } from '../../../wire/field-marks.ts';
import { HostError } from '../../errors.ts';
import { FlatFields } from '../../fields/flat.ts';
import { ReceivedFields } from '../../fields/received.ts';
import type { Closed, Exchange } from '../../gateway.ts';
import type { Associated } from '../associated.ts';
import { type Downgrade, refuse } from '../downgrade.ts';
import { putMarksBack } from '../kept-marks.ts';
import { type Incoming, makeRequest, setVersion } from './request.ts';
import { drained, makeResponse, markSent, type Outgoing, trailersOf } from './response.ts';
import { ExchangeSocket } from './socket.ts';

const INTERNAL_ERROR = 0x2;
/** Pieces that wait together are sent together up to here. */
const JOIN_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);
type Done = ((error?: Error | null) => void) | null;

/**
 * Of the response. `open`: more may come; `ending`: within `end()`; `ended`: all is known, some may still wait; `over`: all is handed
 * on; `delegated`: a native application has the exchange; `cut`: the exchange was reset, or the function has failed.
 */
type State = 'open' | 'ending' | 'ended' | 'over' | 'delegated' | 'cut';

interface Piece {
  readonly bytes: Uint8Array;
  readonly done: Done;
}

export interface PairOptions {
  readonly downgrade: Downgrade;
  /** Bytes that wait for the peer when the application does not: beyond it the exchange is reset. */
  readonly maxWaitingBytes: number;
}

export class NodePair {
  readonly exchange: Exchange;
  readonly options: PairOptions;
  readonly req: Incoming;
  readonly res: Outgoing;
  readonly socket: ExchangeSocket;
  waitingBytes = 0;
  sentBytes = 0;
  readonly #associated: Associated | null;

  #state: State = 'open';
  #head: { readonly status: number; readonly flat: string[] } | null = null;
  #isHeadSent = false;
  /** What `end()` was given. */
  #last: Piece | null = null;
  #waiting: Piece[] = [];
  #isSending = false;
  #reader: AsyncIterator<Uint8Array> | null = null;
  #isPulling = false;
  #hold: PromiseWithResolvers<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  /** Promised responses that are still being written. */
  #pushing = 0;
  /** Native applications below that have not returned. */
  #running = 0;

  constructor(exchange: Exchange, options: PairOptions, associated: Associated | null) {
    this.exchange = exchange;
    this.options = options;
    this.#associated = associated;
    this.socket = new ExchangeSocket(exchange, this);
    this.req = makeRequest(exchange, this);
    this.res = makeResponse(this.req, this);
    setVersion(this.req, exchange.request.version);
    // A stream has no connection of its own to keep. Who sees one to keep reads the request to its end before it answers, as gRPC's
    // Connect does, and there is no bidirectional stream.
    if (exchange.request.version === '2') this.res.shouldKeepAlive = false;
  }

  get state(): State {
    return this.#state;
  }

  /** The head that Node has stored and nobody has sent yet; for who sends it in another way. */
  get storedHead(): { readonly status: number; readonly flat: string[] } | null {
    return this.#head;
  }

  // ---- the hold

  /** What the application's function gives: nothing when all is over already. */
  held(result: unknown): void | Promise<void> {
    if (this.#failure !== null) throw this.#failure.error;
    if (isThenable(result)) result.then(undefined, (error) => this.fail(error));
    else if (this.#isSettled) return this.#afterOver();
    this.#hold = Promise.withResolvers();
    void this.exchange.closed.then((closed) => this.#onClosed(closed));
    this.#settleIfOver();
    return this.#hold.promise;
  }

  get #isSettled(): boolean {
    return this.#state === 'over' && !this.#isReading && this.#pushing + this.#running === 0;
  }

  /** Somebody reads the request, and it has not come to its end. */
  get #isReading(): boolean {
    return this.req._consuming && !this.req.complete && !this.req.destroyed;
  }

  #settleIfOver(): void {
    if (this.#hold === null || !this.#isSettled) return;
    this.#afterOver();
    this.#hold.resolve();
  }

  /** The function is over with it: what legacy code still does, such as flush what it has kept back, must reach nobody. */
  fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = { error };
    this.#abandon(error as Error);
    this.#hold?.reject(error);
  }

  /** A promised response lasts no longer than this one's function, which waits for it. */
  readonly #keepPush = (written: Promise<void>): void => {
    this.#pushing++;
    written
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#pushing--;
        this.#settleIfOver();
      });
  };

  /** A native application below has begun; the function lasts as long as its own. `folded` is null when it has the exchange itself. */
  delegated(
    result: void | Promise<void>,
    folded: { readonly isDirect: boolean; readonly isComplete: boolean } | null,
    fail: (error: unknown) => void,
  ): void {
    const isDirect = folded === null || folded.isDirect;
    if (isDirect && this.#state === 'open') this.#state = 'delegated';
    const returned = () => {
      // Of the exchange itself the host knows whether it is complete.
      if (isDirect) this.#delegateReturned();
      else if (!folded.isComplete)
        fail(new Error('the application returned before its response was complete'));
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
        this.#settleIfOver();
        this.#rejectIfAlone();
      });
  }

  /** It is for the layers above to answer, if that is still possible. */
  delegateFailed(): void {
    if (this.#state === 'delegated') this.#state = 'open';
  }

  #delegateReturned(): void {
    if (this.#state !== 'delegated') return;
    this.#state = 'over';
    if (!this.res.finished) {
      this.res.finished = true;
      if (this.res.listenerCount('finish') > 0) process.nextTick(emitFinish, this.res);
    }
    this.#settleIfOver();
  }

  /** A native application has sent the head, past Node's response, which is told. Null: it has written it itself. */
  adopt(status: number, flat: readonly string[] | null): void {
    const { res } = this;
    this.#isHeadSent = true;
    res.statusCode = status;
    if (flat !== null) {
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      for (let i = 0; i < flat.length; i += 2) res.appendHeader(plainName(flat[i]), flat[i + 1]);
    }
    markSent(res);
    this.#state = 'delegated';
  }

  /** What Node's code hears when all is done. */
  #afterOver(): void {
    if (this.res._closed) return;
    this.res._closed = true;
    if (this.res.listenerCount('close') > 0) process.nextTick(emitClose, this.res);
  }

  #onClosed(closed: Closed): void {
    if (closed.how === 'complete') {
      this.#settleIfOver();
      return;
    }
    const reason = this.exchange.signal.reason as Error;
    this.#abandon(reason);
    this.#failure ??= { error: reason };
    this.#rejectIfAlone();
  }

  /** A native application below has been interrupted as well, and may have something to clean up. */
  #rejectIfAlone(): void {
    if (this.#failure !== null && this.#running === 0) this.#hold?.reject(this.#failure.error);
  }

  /** From now on nothing reaches the exchange, and Node's code is told in Node's way. */
  #abandon(reason: Error): void {
    if (this.#state === 'cut') return;
    const wasOver = this.#state === 'over';
    this.#state = 'cut';
    const { req, res, socket } = this;
    socket.destroyed = true;
    socket.setTimeout(0);
    if (!wasOver) res.destroyed = true;
    for (const { done } of this.#waiting.splice(0)) done?.(reason);
    this.waitingBytes = 0;
    socket.emit('close', false);
    if (!req.destroyed) req.destroy(aborted());
    this.#afterOver();
  }

  // ---- the request

  /** Node's stream wants more: one piece is pulled at a time, which is what grants credit. */
  pull(): void {
    const { req } = this;
    if (this.#isPulling || this.#state === 'cut') return;
    if (this.exchange.body.isAtEnd && this.#reader === null) {
      this.#endRequest();
      return;
    }
    this.#isPulling = true;
    this.#reader ??= this.exchange.body[Symbol.asyncIterator]();
    this.#reader.next().then(
      ({ value, done }) => {
        this.#isPulling = false;
        this.socket.touch();
        if (done === true) void this.#endWithTrailers();
        else if (!req.destroyed) req.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      },
      (error: Error) => {
        // Of an exchange that was cut off `#onClosed` tells in Node's own way.
        if ((error as { code?: string }).code !== 'SLUICE_EXCHANGE_CLOSED') req.destroy(error);
      },
    );
  }

  async #endWithTrailers(): Promise<void> {
    try {
      const flat = ReceivedFields.flat(await this.exchange.trailers);
      this.req.complete = true;
      if (flat.length > 0) this.req._addHeaderLines(flat, flat.length);
      this.#endRequest();
    } catch {
      // Cut off behind its last byte: `#onClosed` tells.
    }
  }

  #endRequest(): void {
    this.req.complete = true;
    if (!this.req.destroyed) this.req.push(null);
    this.#settleIfOver();
  }

  requestDestroyed(): void {
    this.cutUnlessOver();
    this.#settleIfOver();
  }

  /**
   * Not with CANCEL, even where nothing went wrong: Node's own HTTP/2 client takes a response that ends so for a whole one,
   * while a connection that is destroyed under HTTP/1.1 is an error to every client.
   */
  cutUnlessOver(): void {
    if (this.#state === 'over' || this.#state === 'cut') return;
    this.exchange.reset(INTERNAL_ERROR);
  }

  timedOut(): void {
    const emitters: readonly EventEmitter[] = [this.socket, this.req, this.res];
    for (const emitter of emitters) emitter.emit('timeout', this.socket);
  }

  // ---- the response

  headStored(status: number, flat: string[]): void {
    putMarksBack(this.exchange, flat);
    this.#head = { status, flat };
  }

  /** An interim response as Node writes it. */
  informed(text: string, done: Done): boolean {
    const [line = '', ...lines] = text.split('\r\n');
    const status = Number(line.split(' ')[1]);
    const { capabilities } = this.exchange;
    if (!capabilities.informational && this.options.downgrade.informational === 'refuse') {
      refuse('informational', 'the response is to have an interim one');
    }
    const fields = lines
      .filter((each) => each !== '')
      .map((each): [string, string] => {
        const colon = each.indexOf(':');
        return [each.slice(0, colon), each.slice(colon + 1).trim()];
      });
    if (this.#state !== 'cut') this.exchange.inform(status, fields);
    if (done !== null) process.nextTick(done);
    return true;
  }

  /** Bytes of the body as Node writes them; none flush the head. */
  written(data: string | Uint8Array, encoding: string | undefined, done: Done): boolean {
    if (this.#state === 'cut' || this.#state === 'delegated') {
      if (done !== null) process.nextTick(done, aborted());
      return false;
    }
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding as BufferEncoding) : data;
    if (this.#state === 'ending') {
      // Node 22 says the end apart from the last piece, and only the end has somebody to call.
      const isBareEnd = bytes.length === 0 && this.#last !== null;
      this.#last = isBareEnd ? { bytes: (this.#last as Piece).bytes, done } : { bytes, done };
      return true;
    }
    this.#sendHead();
    if (bytes.length === 0) {
      if (done !== null) process.nextTick(done);
      return true;
    }
    this.#enqueue({ bytes, done });
    return this.waitingBytes < this.socket.writableHighWaterMark;
  }

  beginEnd(): void {
    if (this.#state === 'open') this.#state = 'ending';
  }

  /** `end()` threw, or it was not the first. */
  abandonEnd(): void {
    if (this.#state === 'ending') this.#state = 'open';
  }

  /** Nothing follows what there is. */
  ended(): void {
    if (this.#state !== 'ending') return;
    const last = this.#last ?? { bytes: NO_BYTES, done: null };
    this.#state = 'ended';
    if (!this.#isHeadSent) {
      this.#sendWhole(last);
      return;
    }
    if (last.bytes.length > 0) this.#enqueue(last);
    else if (last.done !== null) process.nextTick(last.done);
    if (!this.#isSending) this.#finish();
  }

  #sendWhole({ bytes, done }: Piece): void {
    const trailers = trailersOf(this.res);
    const { status } = this.#head as { status: number };
    const hasBody = this.res._hasBody;
    if (trailers.length > 0) this.#requireTrailers();
    if (trailers.length === 0 && (hasBody || status === 204 || status === 304)) {
      this.#sendHead(hasBody ? bytes : NO_BYTES);
    } else {
      this.#sendHead();
      if (hasBody && bytes.length > 0) {
        this.#enqueue({ bytes, done });
        return;
      }
      this.exchange.end(trailers);
    }
    this.sentBytes += bytes.length;
    this.#state = 'over';
    if (done !== null) process.nextTick(done);
    this.#settleIfOver();
  }

  #sendHead(body?: Uint8Array): void {
    if (this.#isHeadSent) return;
    this.#isHeadSent = true;
    const { status, flat } = this.#head as { status: number; flat: string[] };
    this.#associated?.take(this.exchange, flat, this.#keepPush);
    this.exchange.respond(status, new FlatFields(flat), body);
  }

  #enqueue(piece: Piece): void {
    this.waitingBytes += piece.bytes.length;
    if (this.waitingBytes > this.options.maxWaitingBytes && this.waitingBytes > piece.bytes.length) {
      const { maxWaitingBytes } = this.options;
      this.fail(
        new HostError(
          'SLUICE_WRITE_BACKLOG',
          `expected write() to be waited for once it answers false: more than ${maxWaitingBytes} bytes wait to be sent`,
        ),
      );
      // A piece is lost, so what follows must not pass for whole.
      this.exchange.reset(INTERNAL_ERROR);
      return;
    }
    this.#waiting.push(piece);
    if (!this.#isSending) this.#sendWaiting();
  }

  /** Takes what waits together: legacy code writes in crumbs. */
  #sendWaiting(): void {
    const pieces = this.#waiting;
    let count = 0;
    let length = 0;
    while (count < pieces.length && (count === 0 || length + pieces[count].bytes.length <= JOIN_BYTES)) {
      length += pieces[count++].bytes.length;
    }
    const taken = pieces.splice(0, count);
    const bytes =
      count === 1
        ? taken[0].bytes
        : Buffer.concat(
            taken.map((piece) => piece.bytes),
            length,
          );
    this.#isSending = true;
    this.exchange.write(bytes).then(
      () => this.#sent(taken, length),
      (error: Error) => this.#unsent(taken, error),
    );
  }

  #sent(pieces: readonly Piece[], length: number): void {
    this.#isSending = false;
    if (this.#state === 'cut') return;
    this.waitingBytes -= length;
    this.sentBytes += length;
    this.socket.touch();
    for (const { done } of pieces) done?.();
    // A callback may have written, or cut it off.
    if (this.#isSending || (this.#state as State) === 'cut') return;
    if (this.#waiting.length > 0) this.#sendWaiting();
    else if (this.#state === 'ended') this.#finish();
    if (this.waitingBytes === 0) drained(this.res);
  }

  #unsent(pieces: readonly Piece[], error: Error): void {
    for (const { done } of pieces) done?.(error);
    if ((error as { code?: string }).code !== 'SLUICE_EXCHANGE_CLOSED') this.fail(error);
  }

  #finish(): void {
    const trailers = trailersOf(this.res);
    if (trailers.length > 0) this.#requireTrailers();
    try {
      this.exchange.end(trailers);
      this.#state = 'over';
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#settleIfOver();
  }

  #requireTrailers(): void {
    if (this.exchange.capabilities.trailers || this.options.downgrade.trailers === 'drop') return;
    refuse('trailers', 'the response is to have some');
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

function emitFinish(res: Outgoing): void {
  res.emit('finish');
}

function emitClose(res: Outgoing): void {
  res.emit('close');
}

/** What Node's own server tells of a connection that is gone. */
function aborted(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}
