/**
 * An HTTP/1.1 connection: a socket and its engine. `Http1Exchanges` has the exchanges of its requests. The
 * engine turns bytes into events and calls into bytes. This class reads and writes the socket, and checks the
 * connection's deadlines.
 */
import type { Socket } from 'node:net';
import { Deadline } from '../deadlines/counters.ts';
import type { Http1Engine } from '../http1/engine.ts';
import { ArrivingHead } from './arriving-head.ts';
import type { Connection } from './connection.ts';
import type { Front } from './front.ts';
import type { UpgradedRequest } from './h2c-upgrade.ts';
import { Http1Exchanges, type MessageHolder } from './http1-exchanges.ts';
import { Http1Pace } from './http1-pace.ts';
import type { Peer } from './peer.ts';
import { free, readTo } from './socket-input.ts';
import { SocketOutput } from './socket-output.ts';
import { transportOf } from './transport.ts';

export class Http1Connection implements Connection, MessageHolder {
  isDirty = false;
  readonly #socket: Socket;
  readonly #front: Front;
  readonly #peer: Peer;
  readonly #exchanges: Http1Exchanges;
  readonly #engine: Http1Engine;
  readonly #output: SocketOutput;
  readonly #pace: Http1Pace;
  readonly #head = new ArrivingHead();
  /** `left`: the socket speaks another protocol and belongs to another object. */
  #state: 'open' | 'ending' | 'left' | 'closed' = 'open';
  isDraining = false;
  /** Who caused the loss of the connection, for the exchanges that it cuts off. */
  lostBy: 'nobody' | 'peer' | 'server' = 'nobody';
  /** Limits how long requests of a client that has sent its FIN await their responses; undefined: never set. */
  #halfClosed: NodeJS.Timeout | undefined;
  readonly #onEnd = (): void => this.#ended();
  readonly #onSocketClosed = (): void => this.#closed();

  constructor(socket: Socket, front: Front, peer: Peer) {
    this.#socket = socket;
    this.#front = front;
    this.#peer = peer;
    this.#pace = new Http1Pace(front.reactor.tick());
    this.#exchanges = new Http1Exchanges(front, peer, this);
    this.#engine = this.#exchanges.engine;
    this.#output = new SocketOutput(socket, this.#engine, front.buffers, () => this.#taken());
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onSocketClosed);
  }

  /**
   * @param first what was already read from the socket. The connection may have left HTTP/1.1 when this
   * returns.
   */
  begin(first: Buffer): void {
    if (first.length > 0) this.#read(first);
    free(first);
    if (this.#state !== 'open') return;
    readTo(this.#socket, (chunk) => this.#read(chunk));
    if (this.#engine.isPaused) this.#socket.pause();
  }

  #read(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    let at: number;
    try {
      this.#front.reactor.tick();
      at = this.#engine.receive(chunk);
      this.#head.look(this.#engine.isWithinHead, this.#front.reactor.nowMs);
      if (this.#engine.isPaused) this.#socket.pause();
    } catch (error) {
      this.#fault(error);
      return;
    }
    if (this.#engine.state === 'left') {
      this.#leave(chunk.subarray(at));
      return;
    }
    // Most reads bring requests, whose responses come later. Then there is nothing to write, but something to
    // publish.
    if (this.#engine.state !== 'open' || this.#engine.hasOutput) this.#front.reactor.flushLater(this);
    else this.#front.reactor.request();
  }

  /**
   * The connection continues in the protocol that a request has asked for.
   * @param rest the bytes after that request
   */
  #leave(rest: Buffer): void {
    const socket = this.#socket;
    this.#state = 'left';
    socket.off('end', this.#onEnd);
    socket.off('error', ignore);
    socket.off('close', this.#onSocketClosed);
    this.#front.onUpgraded(socket, rest, this.#peer, this.#exchanges.upgraded as UpgradedRequest);
    this.#front.forget(this);
  }

  /** The peer has sent its FIN. */
  #ended(): void {
    const timeoutMs = this.#front.http1.halfCloseTimeoutMs;
    try {
      if (timeoutMs > 0 && this.#engine.halfClose())
        this.#halfClosed = setTimeout(() => this.#endHalfClosed(), timeoutMs).unref();
      else this.#endRequests();
    } catch (error) {
      this.#fault(error);
    }
    this.#front.reactor.flushLater(this);
  }

  /** What is open and has not been answered is over. */
  #endRequests(): void {
    if (!this.#engine.hasOpenTunnel) this.lostBy = 'peer';
    this.#engine.end();
  }

  /**
   * The system of a client that has gone away answers the first bytes of a response with a reset, which the
   * next probe finds. So a response that has begun needs no limit here.
   */
  #endHalfClosed(): void {
    if (this.#state !== 'open' || this.#engine.hasOpenTunnel || this.#engine.hasBegunResponse) return;
    this.#front.reactor.tick();
    try {
      this.#endRequests();
    } catch (error) {
      this.#fault(error);
    }
    this.#front.reactor.flushLater(this);
  }

  /** Everything open closes, and nothing more is written. */
  #lose(by: 'peer' | 'server'): void {
    if (this.lostBy === 'nobody') this.lostBy = by;
    this.#engine.closed();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#halfClosed);
    this.#front.reactor.tick();
    try {
      this.#lose('peer');
    } catch (error) {
      this.#front.onFault(error);
    }
    this.#output.release();
    this.#front.forget(this);
    this.#front.reactor.request();
  }

  #taken(): void {
    if (this.#state !== 'closed' && this.#engine.hasOutput) this.#front.reactor.flushLater(this);
    this.judgePause();
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
    const engine = this.#engine;
    engine.endTurn();
    this.#output.send(false);
    this.judgePause();
    if (engine.state === 'closing' || (engine.state === 'aborted' && !engine.mustReset)) this.#linger();
    else if (engine.state === 'aborted') this.#abort();
    else if (engine.hasTunnelEnded || engine.hasSaidAll) this.#endOutput();
  }

  /** Sends the FIN when the socket has been given all output. The peer may still send. */
  #endOutput(): void {
    const isGiven = this.#engine.unsentBytes === this.#output.writingBytes;
    if (isGiven && !this.#socket.writableEnded) this.#socket.end();
  }

  /**
   * Ends the connection after everything that has been written. The framing of a response that was broken off
   * shows that it is incomplete (RFC 9112 section 8).
   */
  #linger(): void {
    this.#state = 'ending';
    this.#front.lingering.add(this.#socket, this.#front.reactor.nowMs);
  }

  /**
   * A FIN would make a response without a length look complete; only a reset shows that it is not. Written
   * output has been passed to the system, as far as the system takes it now.
   */
  #abort(): void {
    this.#state = 'ending';
    const socket = this.#socket;
    // TLS sends its own end, for which a reset leaves no time, and a Unix domain socket has no reset.
    const mustReset = socket.remoteFamily !== undefined && !('encrypted' in socket);
    process.nextTick(() => {
      if (mustReset) socket.resetAndDestroy();
      else socket.destroy();
    });
  }

  /**
   * A socket that is not read, or whose peer has sent its FIN, does not report that its peer has gone. An empty
   * write reveals a reset, and the system's own probes cause one within minutes if the peer's process has ended.
   * TLS has no empty records, so the write goes past it.
   */
  #probe(): void {
    const socket = this.#socket;
    if (this.#output.writingBytes > 0) return;
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    // After the server's FIN, as in a tunnel that the application has ended and still reads, a write would be
    // an error.
    if (!socket.writableEnded) transportOf(socket)?.write(NO_BYTES);
  }

  judgePause(): void {
    if (this.#state !== 'open' || !this.#socket.isPaused() || this.#engine.isPaused) return;
    this.#socket.resume();
  }

  // ---- Connection

  get isUnsent(): boolean {
    return this.#state === 'open' && this.#output.writingBytes === 0 && this.#engine.hasOutput;
  }

  drain(): void {
    this.isDraining = true;
    this.finish();
  }

  finish(): void {
    try {
      this.#engine.drain();
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

  /** An internal error costs this connection, but no other. */
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
    if (this.#state !== 'open') return;
    const { deadlines } = this.#front;
    this.#engine.advance(deadlines.stepMs);
    const { writingBytes, takenBytes } = this.#output;
    if (this.#pace.readsTooSlowly(writingBytes > 0, takenBytes, deadlines)) {
      deadlines.counters.responseRate++;
      this.destroy();
      return;
    }
    if (this.#socket.isPaused() || this.#socket.readableEnded) this.#probe();
    const late = this.#pace.missedBy(this.#engine, this.#front.http1, nowMs, deadlines.stepMs);
    switch (late) {
      case null:
        return;
      case Deadline.Header:
        if (this.#engine.isWithinHead)
          this.#engine.refuse({ status: 408, why: 'the request head took too long' });
        else this.#engine.drain();
        deadlines.counters.header++;
        break;
      case Deadline.Idle:
        this.#endWhenIdle();
        return;
      case 'discard':
        this.#engine.stopDiscarding();
        break;
    }
    this.#front.reactor.flushLater(this);
  }

  /**
   * A server that was held up runs its timers before it reads its sockets. A request that arrived in time may
   * wait in a socket and would be lost. So the sockets are checked once more.
   */
  #endWhenIdle(): void {
    const { requestCount } = this.#engine;
    setImmediate(() => {
      const engine = this.#engine;
      const hasBegun = engine.requestCount !== requestCount || engine.isWithinHead;
      if (this.#state !== 'open' || hasBegun) return;
      this.#front.deadlines.counters.idle++;
      this.finish();
    });
  }

  // ---- MessageHolder

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  sendFull(): void {
    if (this.#state === 'open') this.#output.send(true);
  }

  takeHeadSince(): number {
    return this.#head.take();
  }

  onMessageOver(): void {
    this.#pace.onClose(this.#front.reactor.nowMs);
    this.judgePause();
  }

  onFault(error: unknown): void {
    this.#fault(error);
  }
}

const NO_BYTES = new Uint8Array(0);

/** If a peer's socket has not been read for this long, the system probes whether the peer is there. */
const PROBE_AFTER_MS = 15_000;

function ignore(): void {
  // 'close' follows and ends what is open. A peer that goes away is not logged.
}
