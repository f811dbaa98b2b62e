/**
 * One request of an HTTP/1 connection and its response: what Node's two objects tell becomes an exchange's events, and
 * what the exchange is told to send becomes calls of theirs.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { copyOf } from '../../wire/bytes.ts';
import { plainName } from '../../wire/field-marks.ts';
import { NOWHERE } from '../connections/front.ts';
import { Exchange, type Transport } from '../exchange.ts';
import type { Flushable } from '../reactor.ts';
import type { Http1Connection } from './connection.ts';
import { type RequestHead, readTrailers } from './head.ts';
import { interimMessage } from './interim.ts';
import { responseFields } from './response-fields.ts';

/** RFC 9113 section 7. */
const PROTOCOL_ERROR = 0x1;
const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;
const NO_BYTES = new Uint8Array(0);
const REQUEST_TIMEOUT = 408;
/** Bytes that the socket has not taken, beyond which interim responses other than 100 are left out. */
const MAX_WAITING_INTERIM_BYTES = 65_536;

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Who asks, and how the request came. */
export interface Client {
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** What a trusted proxy says that its client asked for. */
  readonly authority?: string;
}

/** `open` → `ended`, or `unwanted` (what comes is discarded) → `ended`. */
type RequestState = 'open' | 'unwanted' | 'ended';
/** `none` → `head` (it may wait to go with the first bytes) → `flushed` → `done` (the socket has taken all of it). */
type ResponseState = 'none' | 'head' | 'flushed' | 'done';

/** What Node's declarations leave out of the class. */
interface FlushedResponse extends ServerResponse {
  _send(data: string, encoding: BufferEncoding): boolean;
}

export class Http1Transport implements Transport, Flushable {
  isDirty = false;
  isStarted = false;
  /** It changes nothing, so others may run beside it. */
  readonly isSafe: boolean;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #head: RequestHead;
  readonly #connection: Http1Connection;
  readonly #exchange: Exchange;
  readonly #windowBytes: number;
  #requestState: RequestState;
  #responseState: ResponseState = 'none';
  /** `whole`: both messages were; `cut`: they will not be. */
  #fate: 'open' | 'whole' | 'cut' = 'open';
  #receivedBytes = 0;
  #unconsumedBytes = 0;
  #discardedBytes = 0;
  #invited = false;
  #hasBadTrailers = false;
  /** Interim responses that wait for the answers to the requests before this one. */
  #interim = '';
  /** The response ends where the connection does: HTTP/1.0 without a length. */
  #endsWithConnection = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    client: Client,
    connection: Http1Connection,
  ) {
    const { front, options } = connection.server;
    const authority = client.authority ?? head.authority;
    this.#request = request;
    this.#response = response;
    this.#head = head;
    this.#connection = connection;
    this.#windowBytes = options.requestWindowBytes;
    this.#requestState = head.contentLength === 0 ? 'ended' : 'open';
    this.isSafe = this.#requestState === 'ended' && SAFE_METHODS.has(head.method);
    this.#exchange = new Exchange(
      this,
      null,
      front.router.find(authority, head.path) ?? NOWHERE,
      head.method,
      client.scheme,
      authority,
      head.path,
      head.version,
      client.address,
      client.port,
      head.fields,
      this.#requestState === 'ended',
      connection.peer.tls,
    );
    front.deadlines.watch(this.#exchange);
  }

  start(): void {
    this.isStarted = true;
    this.#response.on('close', () => this.#responseClosed());
    this.#response.on('error', () => {
      // 'close' follows, and ends the exchange.
    });
    if (this.#requestState !== 'ended') {
      this.#request.on('error', () => {
        // As above.
      });
      this.#request.on('data', (chunk: Buffer) => this.#data(chunk));
      this.#request.on('end', () => this.#end());
    }
    this.#exchange.start();
  }

  get isCut(): boolean {
    return this.#fate === 'cut';
  }

  /** The application may read what is still coming. */
  get isWanted(): boolean {
    return this.#requestState === 'open';
  }

  /** Its content is still coming. What has come whole and is only not read yet is no part of what breaks behind it. */
  get isReceiving(): boolean {
    return this.#requestState !== 'ended' && (!this.#request.complete || this.#hasBadTrailers);
  }

  get hasResponded(): boolean {
    return this.#responseState !== 'none';
  }

  // ---- from Node

  #data(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#requestState === 'unwanted') {
      this.#discard(chunk.length);
      return;
    }
    const { reactor } = this.#connection.server.front;
    reactor.tick();
    this.#unconsumedBytes += chunk.length;
    if (this.#unconsumedBytes >= this.#windowBytes) this.#request.pause();
    try {
      this.#exchange.onRequestData(chunk, 0, chunk.length, false);
    } catch (error) {
      this.#fault(error);
    }
    reactor.request();
  }

  #end(): void {
    const { front, options } = this.#connection.server;
    const trailers = readTrailers(this.#request.rawTrailers, options);
    if (trailers === null) {
      this.#hasBadTrailers = true;
      this.#connection.fail({ status: 431, why: 'the trailer section is too large' }, PROTOCOL_ERROR, this);
      return;
    }
    const wasWanted = this.#requestState === 'open';
    this.#requestState = 'ended';
    front.reactor.tick();
    try {
      if (wasWanted && trailers.length > 0) this.#exchange.onRequestTrailers(trailers);
      else if (wasWanted) this.#exchange.onRequestData(NO_BYTES, 0, 0, true);
    } catch (error) {
      this.#fault(error);
    }
    if (this.#responseState === 'done') this.#over();
    front.reactor.request();
  }

  /** Node's response is over: the socket has taken it, or is gone. */
  #responseClosed(): void {
    if (this.#fate !== 'open') return;
    if (!this.#response.writableFinished) {
      this.cut(CANCEL, true);
      return;
    }
    this.#responseState = 'done';
    if (this.#requestState === 'ended') {
      this.#over();
      return;
    }
    // Node takes the connection for idle from here on, though the request goes on.
    this.#request.socket.setTimeout(0);
    if (this.#requestState === 'unwanted') this.#connection.discardRest(this, this.#isTooMuchToDiscard);
  }

  #over(): void {
    if (this.#fate !== 'open') return;
    this.#fate = 'whole';
    const { front, options } = this.#connection.server;
    this.#connection.stopDiscarding();
    if (this.#head.contentLength !== 0) this.#request.socket.setTimeout(options.keepAliveTimeoutMs);
    front.reactor.tick();
    this.#tellClosed(false, 0, true);
    this.#connection.onOver(this);
    front.reactor.request();
  }

  /** Ends the exchange before both messages were whole. */
  cut(code: number, byPeer: boolean): void {
    if (this.#fate !== 'open') return;
    this.#fate = 'cut';
    const { reactor } = this.#connection.server.front;
    reactor.tick();
    this.#tellClosed(true, code, byPeer);
    this.#connection.onOver(this);
    reactor.request();
  }

  #tellClosed(reset: boolean, code: number, byPeer: boolean): void {
    try {
      this.#exchange.onTransportClosed(reset, code, byPeer);
    } catch (error) {
      this.#fault(error);
    }
  }

  #sent(bytes: number): void {
    try {
      this.#exchange.onSent(bytes);
    } catch (error) {
      this.#fault(error);
    }
  }

  /** An error of ours costs the connection, and nobody else theirs. */
  #fault(error: unknown): void {
    this.#connection.server.front.onFault(error);
    this.#request.socket.destroy();
  }

  // ---- a body that nobody wants

  stopReading(): void {
    if (this.#requestState !== 'open') return;
    this.#requestState = 'unwanted';
    this.#discardedBytes = 0;
    this.#request.resume();
    if (this.#responseState === 'done') this.#connection.discardRest(this, this.#isTooMuchToDiscard);
  }

  #discard(bytes: number): void {
    this.#discardedBytes += bytes;
    if (this.#discardedBytes <= this.#connection.server.options.maxDiscardedBytes) return;
    // Until the response has left the rest stays where it is.
    if (this.#responseState === 'done') this.#connection.discardRest(this, true);
    else this.#request.pause();
  }

  get #isTooMuchToDiscard(): boolean {
    const { contentLength } = this.#head;
    const limit = this.#connection.server.options.maxDiscardedBytes;
    return contentLength - this.#receivedBytes > limit || this.#discardedBytes > limit;
  }

  // ---- Transport

  inform(_exchange: Exchange, status: number, fields: readonly string[]): void {
    // RFC 9110 section 15.2: a 1.0 client must not be sent one.
    if (this.#head.version === '1.0') return;
    if (status === 100) {
      // Once is enough: the application may say it, and its first read does.
      if (this.#invited) return;
      this.#invited = true;
      if (fields.length === 0) {
        this.#response.writeContinue();
        return;
      }
    }
    const message = interimMessage(status, fields);
    // A client can do without interim responses, and one that reads none must not make us hold them (RFC 9110 section 15.2).
    const waitingBytes = this.#response.socket?.writableLength ?? this.#interim.length;
    if (status !== 100 && waitingBytes + message.length > MAX_WAITING_INTERIM_BYTES) return;
    if (this.#response.socket !== null) {
      this.#response.socket.write(message, 'latin1');
      return;
    }
    if (this.#interim === '')
      this.#response.once('socket', (socket) => socket.write(this.#interim, 'latin1'));
    this.#interim += message;
  }

  respond(exchange: Exchange, status: number, fields: string[], end: boolean): void {
    const response = this.#response;
    const { method, version } = this.#head;
    const isUnread = this.#requestState === 'open' && !exchange.readsRequest && this.#isTooMuchToDiscard;
    // Node says `Connection: close` then, and the client asks for nothing more on this connection.
    // Behind a request that did not come, nothing is expected either (RFC 9110 section 15.5.9).
    const isLate = status === REQUEST_TIMEOUT && this.#requestState !== 'ended';
    if (isUnread || isLate || this.#connection.isLast(this)) response.shouldKeepAlive = false;
    else if (this.#head.awaitsInvitation && !this.#invited && this.#requestState === 'ended') {
      // The client has not waited, so nothing is left to come; Node would close the connection without the 100.
      if (response.shouldKeepAlive) fields.push('connection', 'keep-alive');
    }
    const framing = responseFields(method, version, status, fields);
    this.#endsWithConnection = framing === 'connection';
    response.writeHead(status, fields);
    if (end) {
      this.#responseState = 'flushed';
      response.end();
    } else {
      // With a body in the same turn it makes one piece.
      this.#responseState = 'head';
      this.#connection.server.front.reactor.flushLater(this);
    }
  }

  flush(): void {
    if (this.#responseState !== 'head') return;
    this.#responseState = 'flushed';
    try {
      // `flushHeaders` writes a string of no encoding, which the socket takes for UTF-8: what is not ASCII would be two octets.
      if (!this.#response.destroyed) (this.#response as FlushedResponse)._send('', 'latin1');
    } catch (error) {
      this.#fault(error);
    }
  }

  accept(exchange: Exchange): void {
    // Requests for tunnels are Http1Tunnel's: no thread is asked for one here.
    this.reset(exchange, INTERNAL_ERROR);
  }

  write(_exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const length = end - start;
    this.#responseState = 'flushed';
    if (length === 0) {
      if (last) this.#response.end();
      return;
    }
    // Node keeps the buffer until the socket has taken it; the ring's memory does not last that long.
    const copy = copyOf(bytes, start, end);
    if (last) this.#response.end(copy);
    else this.#response.write(copy, () => this.#sent(length));
  }

  /** Node leaves them out where the body is not chunked (RFC 9112 section 7.1.2). */
  trailers(_exchange: Exchange, fields: readonly string[]): void {
    const pairs: [string, string][] = [];
    for (let i = 0; i < fields.length; i += 2)
      pairs.push([plainName(fields[i] as string), fields[i + 1] as string]);
    this.#responseState = 'flushed';
    this.#response.addTrailers(pairs);
    this.#response.end();
  }

  /** HTTP/1 has no other way to say that a message will not be completed (RFC 9112 section 8). */
  reset(_exchange: Exchange, code: number): void {
    // The head may have been told in this very turn, and the peer shall see that there was one. What has been written
    // lies corked until the next tick.
    this.flush();
    process.nextTick(() => this.#destroy());
    this.cut(code, false);
  }

  #destroy(): void {
    const { socket } = this.#response;
    // A FIN would end this response as if it were whole; only a reset tells. TLS tells by what it has no time to say.
    const tells = this.#endsWithConnection && socket?.remoteFamily !== undefined && !('encrypted' in socket);
    if (tells) socket.resetAndDestroy();
    else this.#response.destroy();
  }

  letsContentCome(): boolean {
    return this.#requestState === 'open' && !this.#request.isPaused();
  }

  fail(_exchange: Exchange, error: unknown): void {
    this.#fault(error);
  }

  takenBytes(): number {
    const { socket } = this.#response;
    // Without a socket it waits for the responses before it.
    if (socket === null || this.#response.writableLength === 0) return -1;
    return socket.bytesWritten - socket.writableLength;
  }

  consume(_exchange: Exchange, bytes: number): void {
    if (this.#requestState !== 'open') return;
    this.#unconsumedBytes -= bytes;
    if (this.#unconsumedBytes < this.#windowBytes >> 1 && this.#request.isPaused()) this.#request.resume();
  }
}
