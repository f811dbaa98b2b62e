/**
 * The exchanges of an HTTP/1.1 connection's requests, including tunnels. Passes the engine's events to the
 * exchanges, and the exchanges' calls of their transport to the engine.
 */
import type { TransportFlow } from '../exchange/contracts.ts';
import { Exchange, type Transport } from '../exchange/exchange.ts';
import { Http1Engine } from '../http1/engine.ts';
import { type ClosedBy, type EngineEvents, UpgradeVerdict } from '../http1/events.ts';
import { lists } from '../http1/field-section.ts';
import { type Http1Message, RequestPhase, ResponsePhase, TunnelPhase } from '../http1/message.ts';
import type { Refusal } from '../http1/refusal.ts';
import { type Front, NOWHERE } from './front.ts';
import { h2cUpgrade, type UpgradedRequest } from './h2c-upgrade.ts';
import type { Peer } from './peer.ts';
import { requestRefusalOf } from './request-refusal.ts';
import { trailersOf } from './trailer-fields.ts';
import { NOT_IMPLEMENTED, takesTunnel, WEBSOCKET, withProtocol } from './tunnel.ts';
import type { Flushable } from './turns.ts';

const NO_BYTES = new Uint8Array(0);

/** The connection. */
export interface MessageHolder extends Flushable {
  readonly isDraining: boolean;
  /** Who caused the loss of the connection. */
  readonly lostBy: 'nobody' | 'peer' | 'server';
  /** The socket is not being read. */
  readonly isPaused: boolean;
  /** Gives the socket output, if it can take any; otherwise the output would only be queued. */
  sendFull(): void;
  /** The engine may want the socket to be read again. */
  judgePause(): void;
  /** When the first octets of the head that is now complete arrived; 0: all arrived at once. */
  takeHeadSince(): number;
  /** A request is over. */
  onMessageOver(): void;
  /** An internal error. */
  onFault(error: unknown): void;
}

export class Http1Exchanges implements EngineEvents, Transport {
  readonly engine: Http1Engine;
  /** The request with which the connection leaves HTTP/1.1; null: none. */
  upgraded: UpgradedRequest | null = null;
  readonly #front: Front;
  readonly #peer: Peer;
  readonly #holder: MessageHolder;

  constructor(front: Front, peer: Peer, holder: MessageHolder) {
    this.#front = front;
    this.#peer = peer;
    this.#holder = holder;
    this.engine = new Http1Engine(this, front.http1, front.buffers, front.http1Caches);
  }

  // ---- EngineEvents

  date(): string {
    return this.#front.date();
  }

  onUpgrade(message: Http1Message): UpgradeVerdict {
    const { method, version, section, scheme } = message;
    const offer = section.upgrade;
    // RFC 9110 section 7.8 lets a server ignore an Upgrade. One with content is ignored, because the content
    // would have to be read in the old protocol before the new one begins.
    if (offer === null || version === '1.0' || section.announcesContent) return UpgradeVerdict.Ignore;
    // Section 7.6.1: an Upgrade that Connection does not name has passed through an intermediary that did not
    // know it.
    if (!lists(offer.connection, 'upgrade')) return UpgradeVerdict.Ignore;
    if (scheme !== null && scheme !== this.#peer.scheme) return UpgradeVerdict.Ignore;
    if (method === 'GET' && lists(offer.protocols, WEBSOCKET)) {
      const client = this.#peer.forwarding?.clientOf(this.#peer, message.authority, section.fields);
      const route = this.#front.router.find(client?.authority ?? message.authority, message.path);
      if (route?.websocket === true) return UpgradeVerdict.Tunnel;
    }
    if (!this.#front.http1.upgradeH2c || this.#holder.isDraining) return UpgradeVerdict.Ignore;
    // Responses that have not left would be lost with the engine.
    if (this.engine.unsentBytes > 0) return UpgradeVerdict.Ignore;
    this.upgraded = h2cUpgrade(message, this.#peer);
    return this.upgraded === null ? UpgradeVerdict.Ignore : UpgradeVerdict.Leave;
  }

  onRequest(message: Http1Message): Refusal | null {
    const peer = this.#peer;
    const { method, path, section } = message;
    let { authority } = message;
    let { address, port, scheme }: { address: string; port: number; scheme: string } = peer;
    if (peer.forwarding !== null) {
      const client = peer.forwarding.clientOf(peer, authority, section.fields);
      // The trusted proxies' information about the client is ambiguous.
      if (client === null) return { status: 400, why: '' };
      ({ address, port, scheme } = client);
      // The target of CONNECT is the authority and nothing else (RFC 9112 section 3.2.3).
      if (method !== 'CONNECT') authority = client.authority;
    }
    // RFC 9110 section 7.4: a request for one scheme is not answered over the other.
    if (message.scheme !== null && message.scheme !== scheme)
      return { status: 421, why: 'the scheme in the request target differs from that of the connection' };
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
    const headSince = this.#holder.takeHeadSince();
    if (headSince !== 0) exchange.job.arrivingUs = headSince;
    const ids = this.#front.labels?.ids ?? null;
    if (ids !== null) exchange.requestId = ids.of(peer.forwarding !== null, section.fields);
    this.#front.deadlines.watch(exchange);
    return null;
  }

  onStart(message: Http1Message): void {
    // The part of the content that has arrived may already have been too much.
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

  onRefused({ status, why }: Refusal): void {
    this.#front.onRequestRefused(requestRefusalOf(status), this.#peer, why);
  }

  onClose(message: Http1Message, by: ClosedBy, code: number): void {
    const exchange = message.context as Exchange;
    message.context = null;
    try {
      exchange.onTransportClosed(by !== 'complete', code, by === 'engine' && this.#holder.lostBy === 'peer');
    } catch (error) {
      // The other exchanges must still be closed.
      this.#holder.onFault(error);
    }
    this.#holder.onMessageOver();
  }

  // ---- Transport

  inform(exchange: Exchange, status: number, fields: readonly string[]): void {
    this.engine.inform(exchange.stream as Http1Message, status, fields);
    this.#front.reactor.flushLater(this.#holder);
  }

  respond(exchange: Exchange, status: number, fields: readonly string[], end: boolean): void {
    const message = exchange.stream as Http1Message;
    // The response says whether the connection persists, which depends on this.
    if (!exchange.readsRequest) this.engine.dropRequest(message);
    const { labels } = this.#front;
    if (labels === null) this.engine.respond(message, status, fields, end);
    else this.engine.respond(message, status, fields, end, labels.of(exchange, fields));
    this.#front.reactor.flushLater(this.#holder);
  }

  closeConnection(exchange: Exchange): void {
    this.engine.endBehind(exchange.stream as Http1Message);
  }

  accept(exchange: Exchange, fields: readonly string[]): void {
    const message = exchange.stream as Http1Message;
    const { labels } = this.#front;
    const all = labels === null ? fields : [...fields, ...labels.of(exchange, fields)];
    this.engine.accept(message, protocolOf(message), all);
    this.#front.reactor.flushLater(this.#holder);
  }

  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.engine.write(exchange.stream as Http1Message, bytes, start, end, last);
    // A full buffer has nothing to wait for, and more content would be queued, at the cost of one more copy.
    if (this.engine.isFull) this.#holder.sendFull();
    this.#front.reactor.flushLater(this.#holder);
  }

  trailers(exchange: Exchange, fields: readonly string[]): void {
    this.engine.trailers(exchange.stream as Http1Message, fields);
    this.#front.reactor.flushLater(this.#holder);
  }

  reset(exchange: Exchange, code: number): void {
    this.engine.reset(exchange.stream as Http1Message, code);
    this.#front.reactor.flushLater(this.#holder);
  }

  consume(exchange: Exchange, bytes: number): void {
    this.engine.consume(exchange.stream as Http1Message, bytes);
    this.#holder.judgePause();
  }

  stopReading(exchange: Exchange): void {
    this.engine.dropRequest(exchange.stream as Http1Message);
    this.#holder.judgePause();
    this.#front.reactor.flushLater(this.#holder);
  }

  letsContentCome(exchange: Exchange): boolean {
    const message = exchange.stream as Http1Message;
    return message.request === RequestPhase.Open && !this.#holder.isPaused;
  }

  flowOf(exchange: Exchange): TransportFlow | null {
    const message = exchange.stream as Http1Message;
    if (message.context !== exchange) return null;
    return {
      queuedBytes: message.queuedBytes,
      unsentBytes: this.engine.unsentBytes,
      peerWindowBytes: null,
      peerConnectionWindowBytes: null,
      windowBytes: null,
      connectionWindowBytes: null,
      earlier: this.engine.messagesBefore(message),
    };
  }

  fail(_exchange: Exchange, error: unknown): void {
    this.#holder.onFault(error);
  }

  takenBytes(): number {
    // One response leaves at a time, so the connection itself checks how fast it is read.
    return -1;
  }
}

/** The protocol that a tunnel's request asks for; empty for CONNECT. */
function protocolOf({ method }: Http1Message): string {
  return method === 'CONNECT' ? '' : WEBSOCKET;
}
