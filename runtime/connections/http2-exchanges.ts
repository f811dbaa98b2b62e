/**
 * The exchanges of an HTTP/2 connection's streams. Passes the engine's events to the exchanges, and the
 * exchanges' calls of their transport to the engine.
 */
import { DEFAULT_URGENCY, Flag, URGENCY_SHIFT } from '../../wire/messages.ts';
import type { TransportFlow } from '../exchange/contracts.ts';
import { Exchange, type Transport } from '../exchange/exchange.ts';
import { pushedExchange } from '../exchange/pushed-exchange.ts';
import { isHost } from '../http1/host.ts';
import type { Abuse } from '../http2/counters.ts';
import { Http2Engine } from '../http2/engine.ts';
import type { ClosedBy, EngineEvents, StreamRefusal } from '../http2/events.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { withDate } from './dated-fields.ts';
import { type Front, NOWHERE } from './front.ts';
import type { Peer } from './peer.ts';
import { trailersOf } from './trailer-fields.ts';
import { NOT_IMPLEMENTED, takesTunnel, withProtocol } from './tunnel.ts';
import type { Flushable } from './turns.ts';

const BAD_REQUEST = 400;
const URI_TOO_LONG = 414;
/** RFC 9113 section 8.5, RFC 9110 section 9.3.6. */
const PORT = /:\d+$/;

/** The connection. */
export interface StreamHolder extends Flushable {
  /** Who caused the loss of the connection. */
  readonly lostBy: 'nobody' | 'peer' | 'server';
  /** The socket has output that it has not taken. */
  readonly isWriting: boolean;
  /** Gives the socket output, if it can take any; otherwise the output would only be queued. */
  sendFull(): void;
  /** A stream with content waits only for the connection's window. */
  onHeldByWindow(): void;
  /** A request has arrived. */
  onServing(): void;
  /** When the first octets of its head arrived; 0: all arrived at once. */
  takeHeadSince(): number;
  /** No stream is open. */
  onIdle(): void;
  /** An internal error. */
  onFault(error: unknown): void;
}

export class Http2Exchanges implements EngineEvents, Transport {
  readonly engine: Http2Engine;
  readonly #front: Front;
  readonly #peer: Peer;
  readonly #holder: StreamHolder;

  constructor(front: Front, peer: Peer, holder: StreamHolder, nowMs: number) {
    this.#front = front;
    this.#peer = peer;
    this.#holder = holder;
    this.engine = new Http2Engine(this, front.http2, front.buffers, nowMs);
  }

  // ---- EngineEvents

  onRequest(stream: Http2Stream, endStream: boolean): void {
    this.#holder.onServing();
    const peer = this.#peer;
    let { address, port } = peer;
    // :scheme is only the peer's claim; whether the connection is secure is known.
    let scheme = stream.scheme === '' ? '' : peer.scheme;
    let authority = stream.authority;
    // The engine checks the characters of an authority. This checks its grammar, as over HTTP/1.1. CONNECT
    // needs a port.
    let isRefused = !isHost(authority) || (scheme === '' && !PORT.test(authority));
    if (peer.forwarding !== null) {
      const client = peer.forwarding.clientOf(peer, authority, stream.fields);
      if (client === null) isRefused = true;
      else {
        ({ address, port, authority } = client);
        if (scheme !== '') scheme = client.scheme;
      }
    }
    const destination = this.#front.router.find(authority, stream.path) ?? NOWHERE;
    const exchange = new Exchange(
      this,
      stream,
      destination,
      stream.method,
      scheme,
      authority,
      stream.path,
      '2',
      address,
      port,
      withProtocol(stream.protocol, stream.fields),
      endStream,
      peer.tls,
    );
    stream.context = exchange;
    const headSince = this.#holder.takeHeadSince();
    if (headSince !== 0) exchange.job.arrivingUs = headSince;
    const ids = this.#front.labels?.ids ?? null;
    if (ids !== null) exchange.requestId = ids.of(peer.forwarding !== null, stream.fields);
    this.#front.deadlines.watch(exchange);
    if (isRefused) exchange.answer(BAD_REQUEST);
    else if (stream.path.length > this.#front.maxTargetBytes) exchange.answer(URI_TOO_LONG);
    else if (stream.method === 'CONNECT' && !takesTunnel(destination, stream.protocol))
      exchange.answer(NOT_IMPLEMENTED);
    else exchange.start();
  }

  onData(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    (stream.context as Exchange).onRequestData(bytes, start, end, endStream);
  }

  onTrailers(stream: Http2Stream, fields: string[]): void {
    (stream.context as Exchange).onRequestTrailers(trailersOf(fields));
  }

  onSent(stream: Http2Stream, bytes: number): void {
    (stream.context as Exchange).onSent(bytes);
  }

  onClose(stream: Http2Stream, by: ClosedBy, code: number): void {
    const exchange = stream.context as Exchange;
    stream.context = null;
    // The stream is lost with the connection. If the connection failed because of a fault of the peer's, the
    // server has decided to end it.
    const gone = by === 'engine' && this.#holder.lostBy === 'peer' && this.engine.failure === null;
    try {
      exchange.onTransportClosed(by !== 'complete', code, by === 'peer' || gone);
    } catch (error) {
      // The other exchanges must still be closed.
      this.#holder.onFault(error);
    }
    if (this.engine.streamCount === 0) this.#holder.onIdle();
  }

  onRefused(refusal: StreamRefusal, why: string): void {
    this.#front.onRequestRefused(refusal, this.#peer, why);
  }

  onAbuse(abuse: Abuse): void {
    this.#front.onAbuse(abuse, this.#peer, this.engine.counters);
  }

  onGoaway(): void {
    // The peer opens no more streams. Those that it has continue, and it closes the connection when they are
    // done.
  }

  // ---- Transport

  inform(exchange: Exchange, status: number, fields: readonly string[]): void {
    this.engine.inform(exchange.stream as Http2Stream, status, fields);
    this.#front.reactor.flushLater(this.#holder);
  }

  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void {
    const stream = exchange.stream as Http2Stream;
    const { fields: dated, priority } = withDate(fields, this.#front.date());
    // RFC 9218 section 5: the response's priority changes what the client asked for.
    if (priority !== null) this.engine.prioritise(stream, priority);
    const { labels } = this.#front;
    if (labels === null) this.engine.respond(stream, status, dated, end);
    else this.engine.respond(stream, status, dated, end, labels.of(exchange, dated));
    this.#front.reactor.flushLater(this.#holder);
  }

  accept(exchange: Exchange, fields: readonly string[]): void {
    // RFC 8441 section 4: the status is 200, as for any CONNECT, where HTTP/1.1 has 101.
    this.respond(exchange, 200, fields, false);
  }

  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.engine.write(exchange.stream as Http2Stream, bytes, start, end, last);
    // A full buffer has nothing to wait for, and more content would be queued, at the cost of one more copy.
    if (this.engine.isFull) this.#holder.sendFull();
    this.#front.reactor.flushLater(this.#holder);
  }

  trailers(exchange: Exchange, fields: readonly string[]): void {
    this.engine.trailers(exchange.stream as Http2Stream, fields);
    this.#front.reactor.flushLater(this.#holder);
  }

  pad(exchange: Exchange, toMultipleOf: number): void {
    this.engine.pad(exchange.stream as Http2Stream, toMultipleOf);
  }

  openFlags(exchange: Exchange): number {
    const { urgency, incremental } = exchange.stream as Http2Stream;
    return (
      (this.engine.canPush ? Flag.TakesPushes : 0) |
      ((urgency ^ DEFAULT_URGENCY) << URGENCY_SHIFT) |
      (incremental ? Flag.Incremental : 0)
    );
  }

  urgencyOf(exchange: Exchange): number {
    return (exchange.stream as Http2Stream).urgency;
  }

  push(
    parent: Exchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): Exchange | null {
    // A faulty thread must not make the engine throw.
    if (method !== 'GET' && method !== 'HEAD') return null;
    const stream = this.engine.push(parent.stream as Http2Stream, method, path, fields);
    if (stream === null) return null;
    const pushed = pushedExchange(this, stream, parent, number, method, path, fields);
    stream.context = pushed;
    this.#front.deadlines.watch(pushed);
    this.#front.reactor.flushLater(this.#holder);
    return pushed;
  }

  reset(exchange: Exchange, code: number): void {
    this.engine.reset(exchange.stream as Http2Stream, code);
    this.#front.reactor.flushLater(this.#holder);
  }

  consume(exchange: Exchange, bytes: number): void {
    this.engine.consume(exchange.stream as Http2Stream, bytes, this.#front.reactor.nowMs);
    if (this.engine.hasOutput) this.#front.reactor.flushLater(this.#holder);
  }

  stopReading(exchange: Exchange): void {
    this.engine.dropRequest(exchange.stream as Http2Stream);
    this.#front.reactor.flushLater(this.#holder);
  }

  provoked(_exchange: Exchange): void {
    this.engine.provoked();
  }

  /**
   * A window counts as open while at least as much of it is left as waits on this side: peers need not use it
   * up to the last byte.
   */
  letsContentCome(exchange: Exchange): boolean {
    const { receiveWindow, unconsumedBytes } = exchange.stream as Http2Stream;
    if (receiveWindow !== null && receiveWindow.available < Math.max(1, unconsumedBytes)) return false;
    return this.engine.receivableBytes * 2 >= this.#front.http2.connectionWindowBytes;
  }

  flowOf(exchange: Exchange): TransportFlow | null {
    const stream = exchange.stream as Http2Stream;
    if (stream.context !== exchange) return null;
    const { engine } = this;
    return {
      queuedBytes: stream.queuedBytes,
      unsentBytes: engine.unsentBytes,
      peerWindowBytes: stream.sendWindow.available,
      peerConnectionWindowBytes: engine.sendableBytes,
      windowBytes: stream.receiveWindow?.available ?? null,
      connectionWindowBytes: engine.receivableBytes,
      earlier: 0,
    };
  }

  fail(_exchange: Exchange, error: unknown): void {
    this.#holder.onFault(error);
  }

  takenBytes(exchange: Exchange): number {
    const { queuedBytes, sendWindow, head } = exchange.stream as Http2Stream;
    // The head waits for the socket, whose pace the connection checks.
    if (queuedBytes === 0 || head !== null) return -1;
    if (sendWindow.available <= 0) return exchange.sentBytes;
    // The stream's turn comes when the socket has room. If the socket has room, all streams wait for the
    // connection's window.
    if (!this.#holder.isWriting) this.#holder.onHeldByWindow();
    return -1;
  }
}
