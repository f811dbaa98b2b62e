/**
 * An HTTP/2 connection: a socket, its engine, and the exchanges of its streams. The engine makes events of bytes and
 * bytes of calls; this class reads and writes the socket and keeps the connection's deadlines.
 */
import type { Socket } from 'node:net';
import { DEFAULT_URGENCY, Flag, URGENCY_SHIFT } from '../../wire/messages.ts';
import { Deadline } from '../deadlines/counters.ts';
import { Exchange, type Transport } from '../exchange.ts';
import { isHost } from '../http1/host.ts';
import type { Abuse } from '../http2/counters.ts';
import { Http2Engine } from '../http2/engine.ts';
import type { ClosedBy, EngineEvents } from '../http2/events.ts';
import type { Http2Stream } from '../http2/stream.ts';
import type { Peer } from '../listeners/peer.ts';
import { PushedExchange } from '../pushed-exchange.ts';
import type { Flushable } from '../reactor.ts';
import type { Connection } from './connection.ts';
import { withDate } from './dated-fields.ts';
import { type Front, NOWHERE } from './front.ts';
import { SWITCHING_TO_H2C, type UpgradedRequest } from './h2c-upgrade.ts';
import { Http2Pace } from './http2-pace.ts';
import { free } from './read-buffer.ts';
import { SocketOutput } from './socket-output.ts';
import { trailersOf } from './trailer-fields.ts';
import { NOT_IMPLEMENTED, takesTunnel, withProtocol } from './tunnel.ts';

const NO_ERROR = 0x0;
const INADEQUATE_SECURITY = 0xc;
const ENHANCE_YOUR_CALM = 0xb;
const BAD_REQUEST = 400;
const URI_TOO_LONG = 414;
/** A draining connection's peer that does not answer a PING is not waited for any longer than this. */
const PROMISE_MS = 1_000;

export class Http2Connection implements Connection, EngineEvents, Transport, Flushable {
  isDirty = false;
  readonly #socket: Socket;
  readonly #front: Front;
  readonly #engine: Http2Engine;
  readonly #peer: Peer;
  readonly #output: SocketOutput;
  readonly #pace = new Http2Pace();
  #state: 'open' | 'ending' | 'closed' = 'open';
  /** `promised`: the peer has been told to stop and whatever is on its way is served, until it answers our PING. */
  #drain: 'none' | 'promised' | 'final' = 'none';
  #drainSinceMs = 0;
  /** Whose doing it is when the connection is lost, for the exchanges that it cuts off. */
  #lostBy: 'nobody' | 'peer' | 'server' = 'nobody';
  /** Since when no stream has been open, or the connection has been ending. */
  #idleSinceMs: number;
  #served = false;

  /**
   * @param first what has been read of the socket already.
   * @param upgraded the request that asked for HTTP/2 over HTTP/1.1; null: the client began with it.
   */
  constructor(
    socket: Socket,
    front: Front,
    first: Uint8Array,
    peer: Peer,
    upgraded: UpgradedRequest | null = null,
  ) {
    this.#socket = socket;
    this.#front = front;
    this.#peer = peer;
    const now = front.reactor.tick();
    this.#idleSinceMs = now;
    this.#engine = new Http2Engine(this, front.http2, front.buffers, now);
    this.#output = new SocketOutput(socket, this.#engine, front.buffers, () => this.#taken());
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#ended());
    socket.on('error', () => {
      // 'close' follows and ends the streams; a peer that goes away is no event for the log.
    });
    socket.on('close', () => this.#closed());
    // RFC 9113 section 9.2: TLS that HTTP/2 may not run over is a connection error.
    if (!peer.allowsHttp2) this.#engine.goaway(INADEQUATE_SECURITY, false);
    if (upgraded !== null) this.#upgrade(upgraded);
    this.#read(first);
  }

  #upgrade({ method, authority, path, fields, settings }: UpgradedRequest): void {
    this.#socket.write(SWITCHING_TO_H2C, 'latin1');
    this.#engine.upgrade(settings, method, 'http', authority, path, [...fields]);
  }

  #read(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    try {
      this.#engine.receive(chunk, this.#front.reactor.tick());
    } catch (error) {
      this.#fault(error);
      return;
    }
    free(chunk);
    if (this.#drain === 'promised' && this.#engine.unansweredPings === 0) this.#stopTaking();
    this.#front.reactor.flushLater(this);
  }

  /**
   * The peer has sent its FIN. A client that went away looks just like one that would still read, until something is
   * written to it, and an application may never write; and without the peer's WINDOW_UPDATEs little could be
   * completed. So what is open is over.
   */
  #ended(): void {
    try {
      this.#finish('peer');
    } catch (error) {
      this.#fault(error);
    }
  }

  /** The streams that are left close, and nothing more is read. What has been answered already still leaves. */
  #finish(by: 'peer' | 'server'): void {
    if (this.#lostBy === 'nobody') this.#lostBy = by;
    this.#engine.end();
    this.#front.reactor.flushLater(this);
  }

  /** The streams that are left close, and nothing more is written. */
  #lose(by: 'peer' | 'server'): void {
    if (this.#lostBy === 'nobody') this.#lostBy = by;
    this.#engine.closed();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    try {
      this.#lose('peer');
    } catch (error) {
      this.#front.onFault(error);
    }
    this.#output.release();
    this.#front.forget(this);
  }

  // ---- Flushable: once per turn

  flush(): void {
    try {
      this.#flush();
    } catch (error) {
      this.#fault(error);
    }
  }

  #flush(): void {
    if (this.#state !== 'open') return;
    this.#engine.endTurn(this.#front.reactor.nowMs);
    this.#output.send(false);
    if (this.#engine.state === 'closing') this.#end();
  }

  #taken(): void {
    if (this.#state !== 'closed' && this.#engine.hasOutput) this.#front.reactor.flushLater(this);
  }

  /** After everything that has been written. */
  #end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#front.lingering.add(this.#socket, this.#front.reactor.nowMs);
  }

  // ---- Connection

  get isUnsent(): boolean {
    return this.#state === 'open' && this.#output.writingBytes === 0 && this.#engine.hasOutput;
  }

  /** RFC 9113 section 6.8: a request that crosses with the first GOAWAY is served; the second says which was the last. */
  drain(): void {
    if (this.#drain !== 'none' || this.#state !== 'open') return;
    this.#drain = 'promised';
    this.#drainSinceMs = this.#front.reactor.tick();
    try {
      this.#engine.goaway(NO_ERROR, true);
      this.#engine.ping();
    } catch (error) {
      this.#fault(error);
      return;
    }
    this.#front.reactor.flushLater(this);
  }

  /** With the last stream the connection ends. */
  #stopTaking(): void {
    this.#drain = 'final';
    this.#engine.goaway(NO_ERROR, false);
  }

  finish(): void {
    try {
      this.#stopTaking();
    } catch (error) {
      this.#fault(error);
      return;
    }
    this.#front.reactor.flushLater(this);
  }

  destroy(): void {
    try {
      this.#lose('server');
    } catch (error) {
      this.#front.onFault(error);
    }
    this.#socket.destroy();
  }

  /**
   * An error of ours. The engine may have stopped between two steps that belong together, and the peer's HPACK state with it,
   * so nothing more is said on this connection; the others share nothing with it.
   */
  #fault(error: unknown): void {
    this.#front.onFault(error);
    this.destroy();
  }

  tick(nowMs: number): void {
    try {
      this.#tick(nowMs);
    } catch (error) {
      this.#fault(error);
    }
  }

  #tick(nowMs: number): void {
    const { deadlines, headerTimeoutMs } = this.#front;
    if (this.#pace.readsTooSlowly(this.#output.writingBytes > 0, this.#output.takenBytes, deadlines)) {
      deadlines.counters.responseRate++;
      if (this.#output.writingBytes > 0) {
        this.destroy();
        return;
      }
      // Where the socket is free it is the window that is shut: then the peer hears why.
      this.#engine.goaway(ENHANCE_YOUR_CALM, false);
      this.#finish('server');
    }
    if (this.#state === 'ending' || this.#engine.state === 'closing') return;
    this.#engine.tick(nowMs);
    if (this.#drain === 'promised' && nowMs - this.#drainSinceMs >= PROMISE_MS) this.#stopTaking();
    this.#judgeIdleness(nowMs);
    if (this.#pace.isHeadLate(this.#engine, deadlines, headerTimeoutMs)) {
      // What is open finishes, and then the connection ends.
      deadlines.counters.header++;
      this.#engine.goaway(ENHANCE_YOUR_CALM, false);
    }
    if (this.#engine.hasOutput) this.#front.reactor.flushLater(this);
  }

  /** Without a request open: a new connection owes its first one, an older one may rest a while. */
  #judgeIdleness(nowMs: number): void {
    if (this.#engine.streamCount > 0 || this.#state !== 'open') return;
    const { deadlines, idleTimeoutMs, headerTimeoutMs } = this.#front;
    const limit = this.#served ? idleTimeoutMs : headerTimeoutMs;
    if (limit === 0 || nowMs - this.#idleSinceMs < limit) return;
    deadlines.counters[this.#served ? Deadline.Idle : Deadline.Header]++;
    this.#engine.goaway(NO_ERROR, false);
  }

  // ---- EngineEvents

  onRequest(stream: Http2Stream, endStream: boolean): void {
    this.#served = true;
    const peer = this.#peer;
    let { address, port } = peer;
    // What the peer claims in :scheme is no fact; whether the connection is secure is.
    let scheme = stream.scheme === '' ? '' : peer.scheme;
    let authority = stream.authority;
    // The engine judges an authority by its characters; here by its grammar, as over HTTP/1.1. CONNECT needs a port.
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
    // Lost with the connection, unless that failed for what the peer did wrong: then it is the server's decision.
    const gone = by === 'engine' && this.#lostBy === 'peer' && this.#engine.failure === null;
    try {
      exchange.onTransportClosed(by !== 'complete', code, by === 'peer' || gone);
    } catch (error) {
      // Others hear of their end all the same.
      this.#fault(error);
    }
    if (this.#engine.streamCount === 0) this.#idleSinceMs = this.#front.reactor.nowMs;
  }

  onAbuse(abuse: Abuse): void {
    this.#front.onAbuse(abuse, this.#peer, this.#engine.counters);
  }

  onGoaway(): void {
    // The peer opens no more streams; those it has go on, and it closes the connection when it is done.
  }

  // ---- Transport

  inform(exchange: Exchange, status: number, fields: readonly string[]): void {
    this.#engine.inform(exchange.stream as Http2Stream, status, fields);
    this.#front.reactor.flushLater(this);
  }

  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void {
    const stream = exchange.stream as Http2Stream;
    const { fields: dated, priority } = withDate(fields, this.#front.date());
    // RFC 9218 section 5: what the server says of the response changes what the client asked for.
    if (priority !== null) this.#engine.prioritise(stream, priority);
    this.#engine.respond(stream, status, dated, end);
    this.#front.reactor.flushLater(this);
  }

  accept(exchange: Exchange, fields: readonly string[]): void {
    // RFC 8441 section 4: 200, as for any CONNECT, where HTTP/1.1 has 101.
    this.respond(exchange, 200, fields, false);
  }

  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#engine.write(exchange.stream as Http2Stream, bytes, start, end, last);
    // A full buffer has nothing to wait for, and what comes behind it would be queued, which is a copy more.
    if (this.#engine.isFull && this.#state === 'open') this.#output.send(true);
    this.#front.reactor.flushLater(this);
  }

  trailers(exchange: Exchange, fields: readonly string[]): void {
    this.#engine.trailers(exchange.stream as Http2Stream, fields);
    this.#front.reactor.flushLater(this);
  }

  pad(exchange: Exchange, toMultipleOf: number): void {
    this.#engine.pad(exchange.stream as Http2Stream, toMultipleOf);
  }

  openFlags(exchange: Exchange): number {
    const { urgency, incremental } = exchange.stream as Http2Stream;
    return (
      (this.#engine.canPush ? Flag.TakesPushes : 0) |
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
    // A thread that has gone wild must not make the engine throw.
    if (method !== 'GET' && method !== 'HEAD') return null;
    const stream = this.#engine.push(parent.stream as Http2Stream, method, path, fields);
    if (stream === null) return null;
    const pushed = new PushedExchange(this, stream, parent, number, method, path, fields);
    stream.context = pushed;
    this.#front.deadlines.watch(pushed);
    this.#front.reactor.flushLater(this);
    return pushed;
  }

  reset(exchange: Exchange, code: number): void {
    this.#engine.reset(exchange.stream as Http2Stream, code);
    this.#front.reactor.flushLater(this);
  }

  consume(exchange: Exchange, bytes: number): void {
    this.#engine.consume(exchange.stream as Http2Stream, bytes, this.#front.reactor.nowMs);
    if (this.#engine.hasOutput) this.#front.reactor.flushLater(this);
  }

  stopReading(exchange: Exchange): void {
    this.#engine.dropRequest(exchange.stream as Http2Stream);
    this.#front.reactor.flushLater(this);
  }

  provoked(_exchange: Exchange): void {
    this.#engine.provoked();
  }

  /** A window counts as open while at least as much of it is left as waits for us: peers need not fill it to the brim. */
  letsContentCome(exchange: Exchange): boolean {
    const { receiveWindow, unconsumedBytes } = exchange.stream as Http2Stream;
    if (receiveWindow !== null && receiveWindow.available < Math.max(1, unconsumedBytes)) return false;
    return this.#engine.receivableBytes * 2 >= this.#front.http2.connectionWindowBytes;
  }

  fail(_exchange: Exchange, error: unknown): void {
    this.#fault(error);
  }

  takenBytes(exchange: Exchange): number {
    const { queuedBytes, sendWindow } = exchange.stream as Http2Stream;
    if (queuedBytes === 0) return -1;
    if (sendWindow.available <= 0) return exchange.sentBytes;
    // Its turn comes when the socket has room. If it has, all streams wait for the connection's window.
    if (this.#output.writingBytes === 0) this.#pace.isHeldByWindow = true;
    return -1;
  }
}

/** RFC 9113 section 8.5, RFC 9110 section 9.3.6. */
const PORT = /:\d+$/;
