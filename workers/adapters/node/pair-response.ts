/**
 * The half of a pair that sends the response: it passes the head, the bytes, the trailers and the end of a Node response to the exchange.
 *
 * An exchange refuses some responses that node:http would send, such as a wrong content-length or a status of 999, and it refuses every
 * call once it is over. Node code calls from timers and callbacks, where an exception would end the whole thread. This class therefore
 * lets no error of the exchange through. The error ends this exchange, with a line in the log if the application is at fault.
 */

import { EventEmitter } from 'node:events';
import { HostError } from '../../exchange/errors.ts';
import type { FlatFields } from '../../fields/flat.ts';
import type { Exchange, FieldsInit } from '../../gateway.ts';
import type { Associated } from '../associated.ts';
import { type Downgrade, refuse } from '../downgrade.ts';
import { FIELDS_OF_CONNECTION } from '../fields-of-connection.ts';
import { hasMarks, putMarksBack } from '../kept-marks.ts';
import type { RepeatedFields } from '../repeated-fields.ts';
import { fieldsOf } from './header-text.ts';
import type { KnownHeads } from './known-heads.ts';
import { type Done, type Piece, takeTogether, tell } from './pieces.ts';
import { hasListeners } from './request.ts';
import { closeResponse, detachSocket, drained, markClosed, type Outgoing, trailersOf } from './response.ts';
import { isFinishHeard, publishFinish } from './server-face.ts';
import type { ExchangeSocket } from './socket.ts';

export const INTERNAL_ERROR = 0x2;
const NO_BYTES = new Uint8Array(0);

/**
 * `open`: the application may write; `ending`: within `end()`; `ended`: the application has written everything, and bytes may wait;
 * `over`: everything has been passed to the exchange; `delegated`: a native application has the exchange; `cut`: the exchange was reset,
 * or the application has failed.
 */
export type ResponseState = 'open' | 'ending' | 'ended' | 'over' | 'delegated' | 'cut';

export interface PairOptions {
  readonly downgrade: Downgrade;
  /** The most bytes that may wait for the peer; beyond it the exchange is reset. */
  readonly maxWaitingBytes: number;
  /** Recognise heads that the application sends again. */
  readonly fields: RepeatedFields;
  readonly heads: KnownHeads;
}

export abstract class PairResponse {
  readonly exchange: Exchange;
  readonly options: PairOptions;
  abstract readonly res: Outgoing;
  abstract readonly socket: ExchangeSocket;
  waitingBytes = 0;
  sentBytes = 0;
  /** The application has set Transfer-Encoding, so the response gets no content-length. */
  isFramed = false;
  protected state: ResponseState = 'open';
  readonly #associated: Associated | null;
  /** The head as Node stored it; the list is null before that. */
  #status = 0;
  #flat: readonly string[] | null = null;
  /** What is to be sent of it; null if that depends on the exchange. */
  #fields: FlatFields | null = null;
  #isHeadSent = false;
  /** The last piece, from `end()`, and the callback of the end. */
  #lastBytes: Uint8Array | null = null;
  #lastDone: Done = null;
  /** Null until a piece has had to wait. */
  #waiting: Piece[] | null = null;
  #isSending = false;
  /** The socket is to be destroyed when no bytes wait. */
  #isClosing = false;
  /**
   * `calling`: the handler runs; `due`: the response was over before the handler returned, and `returned` does what a tick would do;
   * `returned`.
   */
  #call: 'calling' | 'due' | 'returned' = 'calling';
  /** `end` was given a callback. */
  #hasEndCallback = false;

  constructor(exchange: Exchange, options: PairOptions, associated: Associated | null) {
    this.exchange = exchange;
    this.options = options;
    this.#associated = associated;
  }

  /** The application has failed. */
  abstract fail(error: unknown): void;
  /** The exchange was cut off, by the peer, the server or the application. */
  protected abstract wasCut(reason: Error): void;
  /** Holds the application's function until a promised response has been written. */
  abstract keepPush(written: Promise<void>): void;
  protected abstract settleIfOver(): void;

  /** The head that Node has stored; a folded exchange sends it itself. */
  get storedHead(): { readonly status: number; readonly flat: readonly string[] } | null {
    return this.#flat === null ? null : { status: this.#status, flat: this.#flat };
  }

  // ---- what Node's response calls

  headStored(status: number, flat: readonly string[], fields: FlatFields | null): void {
    this.#status = status;
    this.#flat = flat;
    this.#fields = fields;
    if (!hasMarks(this.exchange)) return;
    const marked = [...flat];
    putMarksBack(this.exchange, marked);
    this.#flat = marked;
    this.#fields = null;
  }

  /** An interim response, as the text that Node writes. */
  informed(text: string, done: Done): boolean {
    const [line = '', ...lines] = text.split('\r\n');
    const status = Number(line.split(' ')[1]);
    const fields = fieldsOf(lines).filter(([name]) => !FIELDS_OF_CONNECTION.has(name));
    this.inform(status, fields);
    if (done !== null) process.nextTick(done);
    return this.state !== 'cut';
  }

  inform(status: number, fields: FieldsInit): void {
    if (this.state === 'cut') return;
    try {
      if (!this.exchange.capabilities.informational && this.options.downgrade.informational === 'refuse') {
        refuse('informational', 'the response is to have an interim one');
      }
      this.exchange.inform(status, fields);
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Bytes of the body. An empty write flushes the head. */
  written(data: string | Uint8Array, encoding: string | undefined, done: Done): boolean {
    if ((this.state !== 'open' && this.state !== 'ending') || this.#isClosing) {
      if (done !== null) process.nextTick(done, aborted());
      return false;
    }
    const bytes = typeof data === 'string' ? bytesOf(data, encoding) : data;
    if (this.state === 'ending') {
      // Node 22 writes the last piece and the end separately, and passes the callback with the end.
      if (bytes.length > 0 || this.#lastBytes === null) this.#lastBytes = bytes;
      this.#lastDone = done;
      return true;
    }
    try {
      this.#sendHead();
    } catch (error) {
      this.#refused(error);
      if (done !== null) process.nextTick(done, error);
      return false;
    }
    if (bytes.length === 0) {
      if (done !== null) process.nextTick(done);
      return true;
    }
    this.#enqueue(bytes, done);
    return this.waitingBytes < this.socket.writableHighWaterMark;
  }

  beginEnd(hasCallback: boolean): void {
    this.#hasEndCallback ||= hasCallback;
    // The connection is being closed, so the response can no longer become complete.
    if (this.state === 'open' && !this.#isClosing) this.state = 'ending';
  }

  /** `end()` threw, or the response had been ended before. */
  abandonEnd(): void {
    if (this.state === 'ending') this.state = 'open';
  }

  /** `end()` has completed: nothing follows what was written. */
  ended(): void {
    if (this.state !== 'ending') return;
    this.state = 'ended';
    const bytes = this.#lastBytes ?? NO_BYTES;
    try {
      if (!this.#isHeadSent && this.#sendWhole(bytes)) return;
    } catch (error) {
      this.#refused(error);
      return;
    }
    if (this.res._hasBody && bytes.length > 0) this.#enqueue(bytes, null);
    if (!this.#isSending && (this.state as ResponseState) === 'ended') this.#finish();
  }

  /** Implements `destroySoon` of the socket. */
  destroyWhenSent(): void {
    if (this.#isSending || this.state === 'ending') this.#isClosing = true;
    else this.socket.destroy();
  }

  // ---- to the exchange

  /** Sends head and body in one message. False if that is not possible. */
  #sendWhole(bytes: Uint8Array): boolean {
    const status = this.#status;
    const hasBody = this.res._hasBody;
    const takesLength = !this.isFramed && !this.res._removedContLen;
    const isWhole = this.res._trailer === '' && (hasBody ? takesLength : status === 204 || status === 304);
    if (isWhole) {
      this.#sendHead(hasBody ? bytes : NO_BYTES);
      this.sentBytes += bytes.length;
      this.#over();
    } else {
      if (this.res._trailer !== '') this.#requireTrailers();
      this.#sendHead();
    }
    return isWhole;
  }

  #sendHead(body?: Uint8Array): void {
    if (this.#isHeadSent) return;
    this.#isHeadSent = true;
    this.exchange.respond(this.#status, this.#fields ?? this.#fieldsOfExchange(), body);
  }

  #fieldsOfExchange(): FlatFields {
    const flat = [...(this.#flat as readonly string[])];
    const pushes = this.#associated === null ? null : this.#associated.take(this.exchange, flat);
    if (pushes !== null) for (const written of pushes) this.keepPush(written);
    return this.options.fields.of(flat);
  }

  #enqueue(bytes: Uint8Array, done: Done): void {
    const { length } = bytes;
    const { maxWaitingBytes } = this.options;
    this.waitingBytes += length;
    this.#waiting ??= [];
    this.#waiting.push({ bytes, length, done });
    if (this.waitingBytes > maxWaitingBytes && this.waitingBytes > length) {
      this.fail(
        new HostError(
          'SLUICE_WRITE_BACKLOG',
          `expected an application that writes no more once res.write() is false, until 'drain' (stream.pipeline does so by itself): more than ${maxWaitingBytes} bytes wait to be sent`,
        ),
      );
      // A piece is lost, so the reset keeps the peer from taking the rest for a complete response.
      this.resetExchange(INTERNAL_ERROR);
      return;
    }
    if (!this.#isSending) this.#sendWaiting();
  }

  #sendWaiting(): void {
    const { bytes, length, pieces } = takeTogether(this.#waiting as Piece[]);
    this.#isSending = true;
    this.#write(bytes, length).then(
      () => this.#sent(pieces, length),
      (error: Error) => this.#unsent(pieces, error),
    );
  }

  #write(bytes: Uint8Array, length: number): Promise<void> {
    try {
      if (bytes.length === length) return this.exchange.write(bytes);
    } catch (error) {
      return Promise.reject(error);
    }
    const found = `expected ${length} bytes to stay as they are until they have gone, ${bytes.length} of them are left`;
    return Promise.reject(new HostError('SLUICE_VALUE_INVALID', found));
  }

  #sent(pieces: readonly Piece[], length: number): void {
    this.#isSending = false;
    if (this.state === 'cut') {
      tell(pieces, aborted());
      return;
    }
    this.waitingBytes -= length;
    this.sentBytes += length;
    this.socket._unrefTimer();
    tell(pieces);
    // A callback may have written more, or have ended the exchange.
    if (this.#isSending || (this.state as ResponseState) === 'cut') return;
    if (this.#waiting !== null && this.#waiting.length > 0) this.#sendWaiting();
    else if (this.state === 'ended') this.#finish();
    else if (this.#isClosing) this.socket.destroy();
    if (this.waitingBytes === 0) drained(this.res);
  }

  #unsent(pieces: readonly Piece[], error: Error): void {
    this.#isSending = false;
    this.#refused(error);
    tell(pieces, error);
  }

  #finish(): void {
    try {
      const trailers = trailersOf(this.res);
      if (trailers.length > 0) this.#requireTrailers();
      this.exchange.end(trailers);
    } catch (error) {
      this.#refused(error);
      return;
    }
    this.#over();
  }

  #requireTrailers(): void {
    if (this.exchange.capabilities.trailers || this.options.downgrade.trailers === 'drop') return;
    refuse('trailers', 'the response is to have some');
  }

  // ---- the end

  #over(): void {
    this.#isOver();
    if (this.#isClosing) this.socket.destroy();
  }

  #isOver(): void {
    this.state = 'over';
    // The timeout limits the response, which is complete.
    if (this.socket.timeout !== undefined && this.socket.timeout > 0) this.socket.setTimeout(0);
    // Most responses end within their handler and nobody hears of it. A tick costs as much as their head.
    if (this.#call === 'calling' && !this.#isWatched) {
      this.#call = 'due';
      return;
    }
    this.#finishSoon();
    this.settleIfOver();
  }

  /** Code of the application hears that the response is over. */
  get #isWatched(): boolean {
    const { res } = this;
    // A layer that has replaced `emit` hears everything.
    const isHeard = res.emit !== EventEmitter.prototype.emit || isFinishHeard();
    return this.#hasEndCallback || isHeard || hasListeners(res);
  }

  /** A native application has completed the response, with or without Node's response. */
  protected overByOther(): void {
    const { res } = this;
    this.#lastDone = res.finished ? null : () => res.emit('finish');
    this.#isOver();
    res.finished = true;
  }

  /** The handler has returned. */
  protected returned(): void {
    const isDue = this.#call === 'due';
    this.#call = 'returned';
    if (isDue && this.#isWatched) this.#finishSoon();
    else if (isDue) finishUnheard(this.res, this.#lastDone);
  }

  #finishSoon(): void {
    process.nextTick(finish, this.res, this.#lastDone);
  }

  /** A native application sends the head instead of Node's response. */
  protected headSentByOther(): void {
    this.#isHeadSent = true;
    this.state = 'delegated';
  }

  protected resetExchange(code: number): void {
    try {
      this.exchange.reset(code);
    } catch (error) {
      this.#refused(error);
    }
  }

  /** The exchange has thrown. */
  #refused(error: unknown): void {
    if ((error as { code?: unknown } | null)?.code === 'SLUICE_EXCHANGE_CLOSED') this.wasCut(error as Error);
    else this.fail(error);
  }

  /** After this nothing reaches the exchange. False if it had been cut before. */
  protected cut(reason: Error): boolean {
    if (this.state === 'cut') return false;
    // The handler of a complete response has failed.
    if (this.#call === 'due') this.#finishSoon();
    this.#call = 'returned';
    // The callback of a complete response has been scheduled already.
    const lastDone = this.state === 'over' ? null : this.#lastDone;
    this.state = 'cut';
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const { done } of waiting) if (done !== null) process.nextTick(done, reason);
    if (lastDone !== null) process.nextTick(lastDone, reason);
    this.waitingBytes = 0;
    return true;
  }
}

function bytesOf(data: string, encoding: string | undefined): Uint8Array {
  return data === '' ? NO_BYTES : Buffer.from(data, encoding as BufferEncoding);
}

/** The error that Node's own server reports for a lost connection. */
export function aborted(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

function finishUnheard(res: Outgoing, done: Done): void {
  detachSocket(res);
  done?.();
  markClosed(res);
}

/** Emits `finish` and `close` in Node's order: `close` is scheduled before `finish` is emitted. Without listeners `close` takes no tick of its own. */
function finish(res: Outgoing, done: Done): void {
  const isHeard = res.listenerCount('close') + res.listenerCount('error') > 0;
  if (isHeard) process.nextTick(closeResponse, res);
  publishFinish(res);
  detachSocket(res);
  done?.();
  if (!isHeard) closeResponse(res);
}
