/**
 * The half of a pair that sends the response: the head as Node has made it, bytes, trailers and the end, handed to the exchange.
 *
 * An exchange refuses what node:http would send, such as a wrong content-length or a status of 999, and everything once it is over.
 * Node's code calls from timers and callbacks, where it expects no exception and where one ends the whole thread. So nothing that the
 * exchange throws leaves this class: it ends this exchange, with a line in the log where it is the application's fault.
 */

import { HostError } from '../../exchange/errors.ts';
import type { Exchange } from '../../gateway.ts';
import type { Associated } from '../associated.ts';
import { type Downgrade, refuse } from '../downgrade.ts';
import { FIELDS_OF_CONNECTION } from '../fields-of-connection.ts';
import { putMarksBack } from '../kept-marks.ts';
import type { RepeatedFields } from '../repeated-fields.ts';
import { type Done, type Piece, takeTogether, tell } from './pieces.ts';
import { closeResponse, detachSocket, drained, type Outgoing, trailersOf } from './response.ts';
import { publishFinish } from './server-face.ts';
import type { ExchangeSocket } from './socket.ts';

const INTERNAL_ERROR = 0x2;
const NO_BYTES = new Uint8Array(0);

/**
 * `open`: more may come; `ending`: within `end()`; `ended`: all is known, some may still wait; `over`: all is handed on; `delegated`: a
 * native application has the exchange; `cut`: the exchange was reset, or the function has failed.
 */
export type ResponseState = 'open' | 'ending' | 'ended' | 'over' | 'delegated' | 'cut';

export interface PairOptions {
  readonly downgrade: Downgrade;
  /** Bytes that wait for the peer when the application does not: beyond it the exchange is reset. */
  readonly maxWaitingBytes: number;
  /** Of its responses. */
  readonly fields: RepeatedFields;
}

export abstract class PairResponse {
  readonly exchange: Exchange;
  readonly options: PairOptions;
  abstract readonly res: Outgoing;
  abstract readonly socket: ExchangeSocket;
  waitingBytes = 0;
  sentBytes = 0;
  /** The application has named a transfer coding: what it sends has no length of ours. */
  isFramed = false;
  protected state: ResponseState = 'open';
  readonly #associated: Associated | null;
  #head: { readonly status: number; readonly flat: string[] } | null = null;
  #isHeadSent = false;
  /** What `end()` was given. */
  #last: { readonly bytes: Uint8Array; readonly done: Done } | null = null;
  #waiting: Piece[] = [];
  #isSending = false;
  /** The connection is to be destroyed when nothing waits. */
  #isClosing = false;

  constructor(exchange: Exchange, options: PairOptions, associated: Associated | null) {
    this.exchange = exchange;
    this.options = options;
    this.#associated = associated;
  }

  /** The application has failed. */
  abstract fail(error: unknown): void;
  /** The exchange was cut off, by whomever. */
  protected abstract wasCut(reason: Error): void;
  /** A promised response lasts no longer than this one's function, which waits for it. */
  protected abstract readonly keepPush: (written: Promise<void>) => void;
  protected abstract settleIfOver(): void;

  /** The head that Node has stored and nobody has sent yet; for who sends it in another way. */
  get storedHead(): { readonly status: number; readonly flat: string[] } | null {
    return this.#head;
  }

  // ---- what Node's response calls

  headStored(status: number, flat: string[]): void {
    putMarksBack(this.exchange, flat);
    this.#head = { status, flat };
  }

  /** An interim response as Node writes it. */
  informed(text: string, done: Done): boolean {
    const [line = '', ...lines] = text.split('\r\n');
    const status = Number(line.split(' ')[1]);
    const fields = lines
      .filter((each) => each !== '')
      .map((each): [string, string] => {
        const colon = each.indexOf(':');
        return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
      })
      .filter(([name]) => !FIELDS_OF_CONNECTION.has(name));
    if (this.state !== 'cut') {
      try {
        if (!this.exchange.capabilities.informational && this.options.downgrade.informational === 'refuse') {
          refuse('informational', 'the response is to have an interim one');
        }
        this.exchange.inform(status, fields);
      } catch (error) {
        this.#refused(error);
      }
    }
    if (done !== null) process.nextTick(done);
    return this.state !== 'cut';
  }

  /** Bytes of the body as Node writes them; none flush the head. */
  written(data: string | Uint8Array, encoding: string | undefined, done: Done): boolean {
    if ((this.state !== 'open' && this.state !== 'ending') || this.#isClosing) {
      if (done !== null) process.nextTick(done, aborted());
      return false;
    }
    const bytes = typeof data === 'string' ? Buffer.from(data, encoding as BufferEncoding) : data;
    if (this.state === 'ending') {
      // Node 22 says the end apart from the last piece, and only the end has somebody to call.
      const isBareEnd = bytes.length === 0 && this.#last !== null;
      this.#last = isBareEnd ? { bytes: (this.#last as { bytes: Uint8Array }).bytes, done } : { bytes, done };
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

  beginEnd(): void {
    // What is written on a connection that is being closed is lost, and a response without it is none.
    if (this.state === 'open' && !this.#isClosing) this.state = 'ending';
  }

  /** `end()` threw, or it was not the first. */
  abandonEnd(): void {
    if (this.state === 'ending') this.state = 'open';
  }

  /** Nothing follows what there is. */
  ended(): void {
    if (this.state !== 'ending') return;
    this.state = 'ended';
    this.#last ??= { bytes: NO_BYTES, done: null };
    const { bytes } = this.#last;
    try {
      if (!this.#isHeadSent && this.#sendWhole(bytes)) return;
    } catch (error) {
      this.#refused(error);
      return;
    }
    if (this.res._hasBody && bytes.length > 0) this.#enqueue(bytes, null);
    if (!this.#isSending && (this.state as ResponseState) === 'ended') this.#finish();
  }

  /** As `destroySoon` of a socket. */
  destroyWhenSent(): void {
    if (this.#isSending || this.state === 'ending') this.#isClosing = true;
    else this.socket.destroy();
  }

  // ---- to the exchange

  /** False when there is more to send than a head and a body. */
  #sendWhole(bytes: Uint8Array): boolean {
    const { status } = this.#head as { status: number };
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
    const { status, flat } = this.#head as { status: number; flat: string[] };
    this.#associated?.take(this.exchange, flat, this.keepPush);
    this.exchange.respond(status, this.options.fields.of(flat), body);
  }

  #enqueue(bytes: Uint8Array, done: Done): void {
    const { length } = bytes;
    const { maxWaitingBytes } = this.options;
    this.waitingBytes += length;
    this.#waiting.push({ bytes, length, done });
    if (this.waitingBytes > maxWaitingBytes && this.waitingBytes > length) {
      this.fail(
        new HostError(
          'SLUICE_WRITE_BACKLOG',
          `expected an application that writes no more once res.write() is false, until 'drain' (stream.pipeline does so by itself): more than ${maxWaitingBytes} bytes wait to be sent`,
        ),
      );
      // A piece is lost, so what follows must not pass for whole.
      this.resetExchange();
      return;
    }
    if (!this.#isSending) this.#sendWaiting();
  }

  #sendWaiting(): void {
    const { bytes, length, pieces } = takeTogether(this.#waiting);
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
    // A callback may have written, or cut it off.
    if (this.#isSending || (this.state as ResponseState) === 'cut') return;
    if (this.#waiting.length > 0) this.#sendWaiting();
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
    this.#isOver(this.#last?.done ?? null);
    if (this.#isClosing) this.socket.destroy();
  }

  #isOver(done: Done): void {
    this.state = 'over';
    // What a timeout was to limit has come to its end.
    if (this.socket.timeout !== undefined && this.socket.timeout > 0) this.socket.setTimeout(0);
    process.nextTick(finish, this.res, done);
    this.settleIfOver();
  }

  /** A native application has answered in place of Node's response, past it or through it. */
  protected overByOther(): void {
    const { res } = this;
    this.#isOver(res.finished ? null : () => res.emit('finish'));
    res.finished = true;
  }

  /** A native application sends the head in place of this one. */
  protected headSentByOther(): void {
    this.#isHeadSent = true;
    this.state = 'delegated';
  }

  protected resetExchange(): void {
    try {
      this.exchange.reset(INTERNAL_ERROR);
    } catch (error) {
      this.#refused(error);
    }
  }

  /** The exchange does not take what it was given. */
  #refused(error: unknown): void {
    if ((error as { code?: unknown } | null)?.code === 'SLUICE_EXCHANGE_CLOSED') this.wasCut(error as Error);
    else this.fail(error);
  }

  /** From now on nothing reaches the exchange. False: it was so before. */
  protected cut(reason: Error): boolean {
    if (this.state === 'cut') return false;
    // What is over is told as such already.
    const last = this.state === 'over' ? null : this.#last;
    this.state = 'cut';
    for (const { done } of this.#waiting.splice(0)) if (done !== null) process.nextTick(done, reason);
    if (last !== null && last.done !== null) process.nextTick(last.done, reason);
    this.waitingBytes = 0;
    return true;
  }
}

/** What Node's own server tells of a connection that is gone. */
export function aborted(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

/** In the order that Node has: `close` is under way when `finish` is told. Where nobody waits for it, it takes no tick of its own. */
function finish(res: Outgoing, done: Done): void {
  const isWatched = res.listenerCount('close') + res.listenerCount('error') > 0;
  if (isWatched) process.nextTick(closeResponse, res);
  publishFinish(res);
  detachSocket(res);
  done?.();
  if (!isWatched) closeResponse(res);
}
