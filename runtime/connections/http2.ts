/**
 * An HTTP/2 connection: a socket and its engine. `Http2Exchanges` has the exchanges of its streams. The
 * engine turns bytes into events and calls into bytes. This class reads and writes the socket and checks the
 * connection's deadlines.
 */
import type { Socket } from 'node:net';
import { Deadline } from '../deadlines/counters.ts';
import { CONTINUE } from '../http1/response-writer.ts';
import type { Http2Engine } from '../http2/engine.ts';
import { ArrivingHead } from './arriving-head.ts';
import type { Connection } from './connection.ts';
import type { Front } from './front.ts';
import { SWITCHING_TO_H2C, type UpgradedRequest } from './h2c-upgrade.ts';
import { Http2Exchanges, type StreamHolder } from './http2-exchanges.ts';
import { Http2Pace } from './http2-pace.ts';
import type { Peer } from './peer.ts';
import { free, readTo } from './socket-input.ts';
import { SocketOutput } from './socket-output.ts';

const NO_ERROR = 0x0;
const INADEQUATE_SECURITY = 0xc;
const ENHANCE_YOUR_CALM = 0xb;
/** How long a draining connection waits for a peer that does not answer the PING. */
const PROMISE_MS = 1_000;

export class Http2Connection implements Connection, StreamHolder {
  isDirty = false;
  readonly #socket: Socket;
  readonly #front: Front;
  readonly #engine: Http2Engine;
  readonly #output: SocketOutput;
  readonly #pace = new Http2Pace();
  readonly #head = new ArrivingHead();
  #state: 'open' | 'ending' | 'closed' = 'open';
  /**
   * `promised`: the peer was told to stop, and everything on its way is served until the peer answers the
   * PING. `announced`: GOAWAY has named the last stream.
   */
  #drain: 'none' | 'promised' | 'announced' = 'none';
  #drainSinceMs = 0;
  /** Who caused the loss of the connection, for the exchanges that it cuts off. */
  lostBy: 'nobody' | 'peer' | 'server' = 'nobody';
  /** Since when no stream has been open, or the connection has been ending. */
  #idleSinceMs: number;
  #served = false;

  /**
   * @param first what was already read from the socket
   * @param upgraded the HTTP/1.1 request that asked for HTTP/2; null: the client began with HTTP/2
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
    const now = front.reactor.tick();
    this.#idleSinceMs = now;
    this.#engine = new Http2Exchanges(front, peer, this, now).engine;
    this.#output = new SocketOutput(socket, this.#engine, front.buffers, () => this.#taken());
    socket.setNoDelay(true);
    socket.on('end', () => this.#ended());
    socket.on('error', () => {
      // 'close' follows and ends the streams. A peer that goes away is not logged.
    });
    socket.on('close', () => this.#closed());
    // RFC 9113 section 9.2: TLS that HTTP/2 must not run over is a connection error.
    if (!peer.allowsHttp2) this.#engine.goaway(INADEQUATE_SECURITY, false);
    if (upgraded !== null) this.#upgrade(upgraded);
    this.#read(first);
    free(first);
    readTo(socket, (chunk) => this.#read(chunk));
  }

  #upgrade({ method, authority, path, fields, settings, awaitsInvitation }: UpgradedRequest): void {
    this.#socket.write((awaitsInvitation ? CONTINUE : '') + SWITCHING_TO_H2C, 'latin1');
    try {
      this.#engine.upgrade(settings, method, 'http', authority, path, [...fields]);
    } catch (error) {
      this.#fault(error);
    }
  }

  #read(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    try {
      this.#engine.receive(chunk, this.#front.reactor.tick());
    } catch (error) {
      this.#fault(error);
      return;
    }
    this.#head.look(this.#engine.isWithinHead, this.#front.reactor.nowMs);
    if (this.#drain === 'promised' && this.#engine.unansweredPings === 0) this.#stopTaking();
    this.#front.reactor.flushLater(this);
  }

  /**
   * The peer has sent its FIN. A client that has gone away looks just like one that still reads, until
   * something is written to it, and an application may never write. And without the peer's WINDOW_UPDATEs
   * little could be completed. So everything open is over.
   */
  #ended(): void {
    try {
      this.#finish('peer');
    } catch (error) {
      this.#fault(error);
    }
  }

  /** The remaining streams close, and nothing more is read. Complete responses still leave. */
  #finish(by: 'peer' | 'server'): void {
    if (this.lostBy === 'nobody') this.lostBy = by;
    this.#engine.end();
    this.#front.reactor.flushLater(this);
  }

  /** The remaining streams close, and nothing more is written. */
  #lose(by: 'peer' | 'server'): void {
    if (this.lostBy === 'nobody') this.lostBy = by;
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

  /** Ends the connection after everything that has been written. */
  #end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#front.lingering.add(this.#socket, this.#front.reactor.nowMs);
  }

  // ---- Connection

  get isUnsent(): boolean {
    return this.#state === 'open' && this.#output.writingBytes === 0 && this.#engine.hasOutput;
  }

  /**
   * RFC 9113 section 6.8: a request that crosses with the first GOAWAY is served. The second GOAWAY names the
   * last stream.
   */
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

  /** The connection ends with its last stream. */
  #stopTaking(): void {
    this.#drain = 'announced';
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
   * An internal error. The engine may have stopped between two steps that belong together, and the peer's
   * HPACK state with it, so nothing more is sent on this connection. Other connections share nothing with it.
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
      // The socket is free, so the window is shut: the peer is told why.
      this.#engine.goaway(ENHANCE_YOUR_CALM, false);
      this.#finish('server');
    }
    if (this.#state === 'ending' || this.#engine.state === 'closing') return;
    this.#engine.tick(nowMs);
    if (this.#drain === 'promised' && nowMs - this.#drainSinceMs >= PROMISE_MS) this.#stopTaking();
    this.#judgeIdleness(nowMs);
    if (this.#pace.isHeadLate(this.#engine, deadlines, headerTimeoutMs)) {
      // Open streams finish, then the connection ends.
      deadlines.counters.header++;
      this.#engine.goaway(ENHANCE_YOUR_CALM, false);
    }
    if (this.#engine.hasOutput) this.#front.reactor.flushLater(this);
  }

  /**
   * Without an open request: a new connection must send its first one, an older one may be idle for a while.
   */
  #judgeIdleness(nowMs: number): void {
    if (this.#engine.streamCount > 0 || this.#state !== 'open') return;
    const { deadlines, idleTimeoutMs, headerTimeoutMs } = this.#front;
    const limit = this.#served ? idleTimeoutMs : headerTimeoutMs;
    if (limit === 0 || nowMs - this.#idleSinceMs < limit) return;
    deadlines.counters[this.#served ? Deadline.Idle : Deadline.Header]++;
    this.#engine.goaway(NO_ERROR, false);
  }

  // ---- StreamHolder

  takeHeadSince(): number {
    return this.#head.take();
  }

  get isWriting(): boolean {
    return this.#output.writingBytes > 0;
  }

  sendFull(): void {
    if (this.#state === 'open') this.#output.send(true);
  }

  onHeldByWindow(): void {
    this.#pace.isHeldByWindow = true;
  }

  onServing(): void {
    this.#served = true;
  }

  onIdle(): void {
    this.#idleSinceMs = this.#front.reactor.nowMs;
  }

  onFault(error: unknown): void {
    this.#fault(error);
  }
}
