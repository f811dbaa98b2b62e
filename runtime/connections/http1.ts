/**
 * An HTTP/1.1 connection: a socket, its engine, and the exchanges of its requests, tunnels among them. The engine makes events of
 * bytes and bytes of calls; this class reads and writes the socket, and keeps the connection's deadlines.
 */
import type { Socket } from 'node:net';
import { Deadline } from '../deadlines/counters.ts';
import { Exchange, type Transport } from '../exchange.ts';
import { Http1Engine } from '../http1/engine.ts';
import { type ClosedBy, type EngineEvents, UpgradeVerdict } from '../http1/events.ts';
import { lists } from '../http1/field-section.ts';
import { type Http1Message, RequestPhase, ResponsePhase, TunnelPhase } from '../http1/message.ts';
import type { Refusal } from '../http1/refusal.ts';
import type { Peer } from '../listeners/peer.ts';
import type { Flushable } from '../reactor.ts';
import type { Connection } from './connection.ts';
import { type Front, NOWHERE } from './front.ts';
import { h2cUpgrade, type UpgradedRequest } from './h2c-upgrade.ts';
import { Http1Pace } from './http1-pace.ts';
import { free } from './read-buffer.ts';
import { SocketOutput } from './socket-output.ts';
import { trailersOf } from './trailer-fields.ts';
import { NOT_IMPLEMENTED, takesTunnel, WEBSOCKET, withProtocol } from './tunnel.ts';

export class Http1Connection implements Connection, EngineEvents, Transport, Flushable {
  isDirty = false;
  readonly #socket: Socket;
  readonly #front: Front;
  readonly #peer: Peer;
  readonly #engine: Http1Engine;
  readonly #output: SocketOutput;
  readonly #pace: Http1Pace;
  /** `left`: the socket speaks another protocol, and is somebody else's. */
  #state: 'open' | 'ending' | 'left' | 'closed' = 'open';
  #isDraining = false;
  /** Whose doing it is when the connection is lost, for the exchanges that it cuts off. */
  #lostBy: 'nobody' | 'peer' | 'server' = 'nobody';
  #upgraded: UpgradedRequest | null = null;
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  readonly #onEnd = (): void => this.#ended();
  readonly #onSocketClosed = (): void => this.#closed();

  constructor(socket: Socket, front: Front, peer: Peer) {
    this.#socket = socket;
    this.#front = front;
    this.#peer = peer;
    this.#pace = new Http1Pace(front.reactor.tick());
    this.#engine = new Http1Engine(this, front.http1, front.buffers, front.http1Caches);
    this.#output = new SocketOutput(socket, this.#engine, front.buffers, () => this.#taken());
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onSocketClosed);
  }

  /** @param first what has been read of the socket already. The connection may have left HTTP/1.1 when it returns. */
  begin(first: Buffer): void {
    if (first.length > 0) this.#read(first);
  }

  #read(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    let at: number;
    try {
      this.#front.reactor.tick();
      at = this.#engine.receive(chunk);
      if (this.#engine.isPaused) this.#socket.pause();
    } catch (error) {
      this.#fault(error);
      return;
    }
    if (this.#engine.state === 'left') {
      this.#leave(chunk.subarray(at));
      return;
    }
    free(chunk);
    // Most reads bring requests, whose answers come later: then there is nothing to write, but something to publish.
    if (this.#engine.state !== 'open' || this.#engine.hasOutput) this.#front.reactor.flushLater(this);
    else this.#front.reactor.request();
  }

  /** The connection goes on in the protocol that a request has asked for. @param rest what stood behind the request */
  #leave(rest: Buffer): void {
    const socket = this.#socket;
    this.#state = 'left';
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', ignore);
    socket.off('close', this.#onSocketClosed);
    this.#front.onUpgraded(socket, rest, this.#peer, this.#upgraded as UpgradedRequest);
    this.#front.forget(this);
  }

  /** The peer has sent its FIN. */
  #ended(): void {
    try {
      if (!this.#engine.isTunnel) this.#lostBy = 'peer';
      this.#engine.end();
    } catch (error) {
      this.#fault(error);
    }
    this.#front.reactor.flushLater(this);
  }

  /** What is open closes, and nothing more is written. */
  #lose(by: 'peer' | 'server'): void {
    if (this.#lostBy === 'nobody') this.#lostBy = by;
    this.#engine.closed();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
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
    this.#judgePause();
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
    this.#judgePause();
    if (engine.state === 'closing' || (engine.state === 'aborted' && !engine.mustReset)) this.#linger();
    else if (engine.state === 'aborted') this.#abort();
    else if (engine.hasTunnelEnded && !this.#socket.writableEnded) this.#socket.end();
  }

  /** After everything that has been written. A response that was broken off says by its framing that it is not whole (RFC 9112 section 8). */
  #linger(): void {
    this.#state = 'ending';
    this.#front.lingering.add(this.#socket, this.#front.reactor.nowMs);
  }

  /**
   * A FIN would end a response that has no length as if it were whole; only a reset tells. What has been written is with the system,
   * as far as it takes it now.
   */
  #abort(): void {
    this.#state = 'ending';
    const socket = this.#socket;
    // TLS tells by what it has no time to say, and a Unix domain socket has no reset.
    const mustReset = socket.remoteFamily !== undefined && !('encrypted' in socket);
    process.nextTick(() => {
      if (mustReset) socket.resetAndDestroy();
      else socket.destroy();
    });
  }

  /**
   * A socket that is not read does not tell of a peer that has gone. A write of nothing tells of a reset, and the system's own
   * probes bring one from a peer whose process has ended, within minutes. TLS has no records of nothing.
   */
  #probe(): void {
    const socket = this.#socket;
    if (this.#output.writingBytes > 0 || 'encrypted' in socket) return;
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    // Behind a FIN of ours, as in a tunnel that the application has ended and still reads, a write would be an error.
    if (!socket.writableEnded) socket.write(NO_BYTES);
  }

  #judgePause(): void {
    if (this.#state !== 'open' || !this.#socket.isPaused() || this.#engine.isPaused) return;
    this.#socket.resume();
  }

  // ---- Connection

  get isUnsent(): boolean {
    return this.#state === 'open' && this.#output.writingBytes === 0 && this.#engine.hasOutput;
  }

  drain(): void {
    this.#isDraining = true;
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

  /** An error of ours costs the connection, and nobody else theirs. */
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
    if (this.#socket.isPaused()) this.#probe();
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
   * A server that was held up comes to its timers before it comes to its sockets: a request that has come in time may lie in one of them, and
   * would be lost. So the sockets are looked at once more.
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

  // ---- EngineEvents

  date(): string {
    return this.#front.date();
  }

  onUpgrade(message: Http1Message): UpgradeVerdict {
    const { method, version, section, scheme } = message;
    const offer = section.upgrade;
    // RFC 9110 section 7.8 lets a server ignore an Upgrade, and one with content is ignored: the content would have to be read
    // in the old protocol before the new one begins.
    if (offer === null || version === '1.0' || section.announcesContent) return UpgradeVerdict.Ignore;
    // Section 7.6.1: what Connection does not name has come through somebody who did not know it.
    if (!lists(offer.connection, 'upgrade')) return UpgradeVerdict.Ignore;
    if (scheme !== null && scheme !== this.#peer.scheme) return UpgradeVerdict.Ignore;
    if (method === 'GET' && lists(offer.protocols, WEBSOCKET)) {
      const client = this.#peer.forwarding?.clientOf(this.#peer, message.authority, section.fields);
      const route = this.#front.router.find(client?.authority ?? message.authority, message.path);
      if (route?.websocket === true) return UpgradeVerdict.Tunnel;
    }
    if (!this.#front.http1.upgradeH2c || this.#isDraining) return UpgradeVerdict.Ignore;
    // Answers that have not left would go with the engine.
    if (this.#engine.unsentBytes > 0) return UpgradeVerdict.Ignore;
    this.#upgraded = h2cUpgrade(message, this.#peer);
    return this.#upgraded === null ? UpgradeVerdict.Ignore : UpgradeVerdict.Leave;
  }

  onRequest(message: Http1Message): Refusal | null {
    const peer = this.#peer;
    const { method, path, section } = message;
    let { authority } = message;
    let { address, port, scheme }: { address: string; port: number; scheme: string } = peer;
    if (peer.forwarding !== null) {
      const client = peer.forwarding.clientOf(peer, authority, section.fields);
      // What trusted proxies say of the client cannot be read in one way.
      if (client === null) return { status: 400, why: '' };
      ({ address, port, scheme } = client);
      // CONNECT's target is the authority and nothing else (RFC 9112 section 3.2.3).
      if (method !== 'CONNECT') authority = client.authority;
    }
    // RFC 9110 section 7.4: a request for one scheme is not answered over the other.
    if (message.scheme !== null && message.scheme !== scheme)
      return { status: 421, why: 'the connection is not of the scheme in the request target' };
    const isTunnel = message.tunnel !== TunnelPhase.None;
    const exchange = new Exchange(
      this,
      message,
      this.#front.router.find(authority, path) ?? NOWHERE,
      method,
      method === 'CONNECT' ? '' : scheme,
      authority,
      path,
      message.version,
      address,
      port,
      isTunnel ? withProtocol(protocolOf(message), section.fields) : section.fields,
      !isTunnel && message.request === RequestPhase.Ended,
      peer.tls,
    );
    message.context = exchange;
    this.#front.deadlines.watch(exchange);
    return null;
  }

  onStart(message: Http1Message): void {
    // What has come of its content may have been too much already.
    if (message.response !== ResponsePhase.Awaited) return;
    const exchange = message.context as Exchange;
    if (message.tunnel !== TunnelPhase.None && !takesTunnel(exchange.destination, protocolOf(message)))
      exchange.answer(NOT_IMPLEMENTED);
    else exchange.start();
  }

  onData(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    (message.context as Exchange).onRequestData(bytes, start, end, last);
  }

  onTrailers(message: Http1Message, fields: string[]): void {
    const trailers = trailersOf(fields);
    const exchange = message.context as Exchange;
    if (trailers.length > 0) exchange.onRequestTrailers(trailers);
    else exchange.onRequestData(NO_BYTES, 0, 0, true);
  }

  onSent(message: Http1Message, bytes: number): void {
    (message.context as Exchange).onSent(bytes);
  }

  onClose(message: Http1Message, by: ClosedBy, code: number): void {
    const exchange = message.context as Exchange;
    message.context = null;
    try {
      exchange.onTransportClosed(by !== 'complete', code, by === 'engine' && this.#lostBy === 'peer');
    } catch (error) {
      // Others hear of their end all the same.
      this.#fault(error);
    }
    this.#pace.onClose(this.#front.reactor.nowMs);
    this.#judgePause();
  }

  // ---- Transport

  inform(exchange: Exchange, status: number, fields: readonly string[]): void {
    this.#engine.inform(exchange.stream as Http1Message, status, fields);
    this.#front.reactor.flushLater(this);
  }

  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void {
    const message = exchange.stream as Http1Message;
    // The response says whether the connection goes on, which depends on it.
    if (!exchange.readsRequest) this.#engine.dropRequest(message);
    this.#engine.respond(message, status, fields, end);
    this.#front.reactor.flushLater(this);
  }

  closeConnection(exchange: Exchange): void {
    this.#engine.endBehind(exchange.stream as Http1Message);
  }

  accept(exchange: Exchange, fields: readonly string[]): void {
    const message = exchange.stream as Http1Message;
    this.#engine.accept(message, protocolOf(message), fields);
    this.#front.reactor.flushLater(this);
  }

  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#engine.write(exchange.stream as Http1Message, bytes, start, end, last);
    // A full buffer has nothing to wait for, and what comes behind it would be queued, which is a copy more.
    if (this.#engine.isFull && this.#state === 'open') this.#output.send(true);
    this.#front.reactor.flushLater(this);
  }

  trailers(exchange: Exchange, fields: readonly string[]): void {
    this.#engine.trailers(exchange.stream as Http1Message, fields);
    this.#front.reactor.flushLater(this);
  }

  reset(exchange: Exchange, code: number): void {
    this.#engine.reset(exchange.stream as Http1Message, code);
    this.#front.reactor.flushLater(this);
  }

  consume(exchange: Exchange, bytes: number): void {
    this.#engine.consume(exchange.stream as Http1Message, bytes);
    this.#judgePause();
  }

  stopReading(exchange: Exchange): void {
    this.#engine.dropRequest(exchange.stream as Http1Message);
    this.#judgePause();
    this.#front.reactor.flushLater(this);
  }

  letsContentCome(exchange: Exchange): boolean {
    const message = exchange.stream as Http1Message;
    return message.request === RequestPhase.Open && !this.#socket.isPaused();
  }

  fail(_exchange: Exchange, error: unknown): void {
    this.#fault(error);
  }

  takenBytes(): number {
    // One response leaves at a time, so how fast it is read is the connection's matter.
    return -1;
  }
}

const NO_BYTES = new Uint8Array(0);

/** A peer whose socket has not been read for so long is asked by the system whether it is there. */
const PROBE_AFTER_MS = 15_000;

/** What a tunnel's request asks for; empty for CONNECT. */
function protocolOf({ method }: Http1Message): string {
  return method === 'CONNECT' ? '' : WEBSOCKET;
}

function ignore(): void {
  // 'close' follows and ends what is open; a peer that goes away is no event for the log.
}
