/**
 * The clients' side of a server: its listeners, open connections, and their limits. This module imports the protocol engines, half of the
 * reactor's modules, so the server imports it while its threads load their applications.
 */
import type { Socket } from 'node:net';
import type { Config, RouteConfig } from '../config/config.ts';
import type { Connection } from '../connections/connection.ts';
import type { Front } from '../connections/front.ts';
import type { UpgradedRequest } from '../connections/h2c-upgrade.ts';
import { Http1Connection } from '../connections/http1.ts';
import { Http2Connection } from '../connections/http2.ts';
import { LingeringSockets, type LingerOptions } from '../connections/lingering.ts';
import type { Peer } from '../connections/peer.ts';
import type { Deadline, DeadlineCounters } from '../deadlines/counters.ts';
import { Deadlines } from '../deadlines/deadlines.ts';
import type { Destination, Exchange } from '../exchange/exchange.ts';
import type { Readiness } from '../health/readiness.ts';
import type { Listener, ListenerHandler, Refusal } from '../listeners/listener.ts';
import type { HostAddresses } from '../listeners/names.ts';
import { openListeners } from '../listeners/open.ts';
import { AbuseLog } from '../logging/abuse-log.ts';
import { HandshakeLog } from '../logging/handshake-log.ts';
import type { Log } from '../logging/log.ts';
import { TurnedAwayLog } from '../logging/turned-away-log.ts';
import { FrontCounters } from '../status/front-counters.ts';
import type { Certificates } from '../tls/certificates.ts';
import { Handshakes } from '../tls/handshakes.ts';
import { ConnectionLimits } from './limits.ts';
import type { Reactor } from './reactor.ts';
import { type FrontOwner, type Fronts, makeFronts, updateFronts } from './server-front.ts';

/** What a frontend needs from its server. */
export interface FrontendOwner {
  readonly reactor: Reactor;
  readonly log: Log;
  /** New connections are drained at once. */
  readonly isDraining: boolean;
  /** The destination of requests that no route matches. */
  nowhere(): Destination;
  destinationOf(route: RouteConfig): Destination;
  readiness(): Readiness;
  /** The keep-alive timeout that applications have set on their servers; null: none has. */
  keepAliveTimeoutMs(): number | null;
  /** The last connection has closed. Called more than once. */
  onEmpty(): void;
}

export class Frontend {
  readonly listeners: Listener[] = [];
  readonly connections = new Set<Connection>();
  readonly #owner: FrontendOwner;
  readonly #deadlines: Deadlines;
  /** Counts refused connections and detected abuse. */
  readonly counters = new FrontCounters();
  readonly #abuse: AbuseLog;
  readonly #turnedAway: TurnedAwayLog;
  readonly #handshakes: Handshakes;
  readonly #handshakeLog: HandshakeLog;
  readonly #limits: ConnectionLimits;
  readonly #lingering: LingeringSockets;
  readonly #fronts: Fronts;
  readonly #frontOwner: FrontOwner;
  #config: Config;

  constructor(config: Config, owner: FrontendOwner) {
    const { limits } = config;
    const { reactor, log } = owner;
    this.#config = config;
    this.#owner = owner;
    this.#deadlines = new Deadlines(limits, reactor.nowMs);
    this.#abuse = new AbuseLog(log);
    this.#turnedAway = new TurnedAwayLog(log);
    this.#handshakes = new Handshakes(limits.handshakes);
    this.#handshakeLog = new HandshakeLog(log);
    this.#limits = new ConnectionLimits(limits);
    this.#lingering = new LingeringSockets(lingerOptions(config), () => this.#checkEmpty());
    this.#frontOwner = {
      reactor,
      deadlines: this.#deadlines,
      lingering: this.#lingering,
      nowhere: () => owner.nowhere(),
      destinationOf: (route) => owner.destinationOf(route),
      readiness: () => owner.readiness(),
      keepAliveTimeoutMs: () => owner.keepAliveTimeoutMs(),
      onUpgraded: (front, socket, first, peer, request) => this.#onHttp2(front, socket, first, peer, request),
      forget: (connection) => {
        this.connections.delete(connection);
        this.#checkEmpty();
      },
      onFault: (error) => log.error({ err: error }, 'internal error: the affected connection is closed'),
      onRequestRefused: (refusal, { address }, why) => {
        this.counters.requests[refusal]++;
        this.#turnedAway.request(refusal, address, why, reactor.nowMs);
      },
      onAbuse: (abuse, peer, counters) => {
        this.counters.abuse[abuse]++;
        this.#abuse.add(abuse, peer, counters, reactor.nowMs);
      },
    };
    this.#fronts = makeFronts(config, this.#frontOwner);
  }

  get http2Connections(): number {
    let count = 0;
    for (const connection of this.connections) if (connection instanceof Http2Connection) count++;
    return count;
  }

  get http1Connections(): number {
    return this.connections.size - this.http2Connections;
  }

  /** Includes connections in the TLS handshake. */
  get openConnections(): number {
    return this.#limits.openConnections;
  }

  /** Connections that the server has ended and their peers have not. */
  get lingeringConnections(): number {
    return this.#lingering.size;
  }

  /** How often each deadline has ended something. */
  get deadlineCounters(): DeadlineCounters {
    return this.#deadlines.counters;
  }

  /** The newest first, which is the order of the deadlines. */
  *exchanges(): Generator<Exchange> {
    // `Front.deadlines` watches exchanges only.
    for (const watched of this.#deadlines.watched()) yield watched as Exchange;
  }

  /** No exchange is open. */
  get isIdle(): boolean {
    return this.#deadlines.isEmpty;
  }

  get isEmpty(): boolean {
    return this.connections.size === 0 && this.#lingering.size === 0;
  }

  /**
   * @param hosts the addresses of host names
   * @param certificates null when no listener has TLS
   * @throws ListenError
   */
  async open(hosts: HostAddresses, certificates: Certificates | null): Promise<void> {
    await openListeners(
      this.#config,
      hosts,
      certificates,
      (index) => this.#listenerHandler(index),
      this.#limits,
      this.#handshakes,
      this.#owner.log,
      this.listeners,
    );
  }

  /** Connections stay; new requests and connections use this configuration. */
  take(config: Config): void {
    this.#config = config;
    updateFronts(this.#fronts, config, this.#frontOwner);
    const { limits } = config;
    this.#deadlines.options = limits;
    this.#limits.options = limits;
    this.#handshakes.options = limits.handshakes;
    this.#lingering.options = lingerOptions(config);
    for (const listener of this.listeners) {
      const own = config.listeners[listener.index];
      if (own !== undefined)
        listener.reconfigure(own, limits.headerTimeoutMs, limits.handshakes.maxHelloBytes);
    }
  }

  tick(nowMs: number): void {
    this.#deadlines.advance(nowMs);
    for (const connection of this.connections) connection.tick(nowMs);
    this.#lingering.tick(nowMs);
    this.#deadlines.judge();
    this.#abuse.tick(nowMs);
    this.#turnedAway.tick(nowMs);
    this.#handshakeLog.tick(this.#handshakes);
  }

  /** No new connection is accepted. Idempotent. */
  close(): void {
    for (const listener of this.listeners) listener.close();
    this.#handshakes.close();
  }

  /** No new connection is accepted, and each connection closes when its open exchanges have finished. */
  drain(): void {
    this.close();
    for (const connection of this.connections) connection.drain();
  }

  /** Resets open exchanges for this reason; connections send the resets and then close. */
  endAll(why: Deadline): void {
    this.#deadlines.endAll(why);
    for (const connection of this.connections) connection.finish();
  }

  /** Closes everything at once. Idempotent. */
  destroy(): void {
    this.close();
    for (const connection of this.connections) connection.destroy();
  }

  /** @param index of the listener in the configuration */
  #listenerHandler(index: number): ListenerHandler {
    return {
      onHttp2: (socket, first, peer) => this.#onHttp2(this.#frontOf(index), socket, first, peer),
      onHttp1: (socket, first, peer) => this.#onHttp1(this.#frontOf(index), socket, first, peer),
      onRefused: (refusal, address, why) => this.#onRefused(refusal, address, why),
    };
  }

  #frontOf(index: number): Front {
    return this.#config.listeners[index]?.health === false ? this.#fronts.plain : this.#fronts.checked;
  }

  #onRefused(refusal: Refusal, address: string, why: string): void {
    this.counters.refused[refusal]++;
    const { counters } = this.#deadlines;
    if (refusal === 'tls-handshake-timeout') counters.tlsHandshake++;
    else if (refusal === 'tls-handshake-gave-way') this.#handshakeLog.gaveWay(address);
    else if (refusal === 'first-bytes-timeout') counters.header++;
    this.#turnedAway.connection(refusal, address, why, this.#owner.reactor.nowMs);
  }

  #onHttp2(
    front: Front,
    socket: Socket,
    first: Buffer,
    peer: Peer,
    upgraded: UpgradedRequest | null = null,
  ): void {
    const connection = new Http2Connection(socket, front, first, peer, upgraded);
    this.connections.add(connection);
    if (this.#owner.isDraining) connection.drain();
  }

  #onHttp1(front: Front, socket: Socket, first: Buffer, peer: Peer): void {
    if (!this.#config.http1.enabled) {
      this.#onRefused('http1-disabled', peer.address, 'http1.enabled is false');
      socket.destroy();
      return;
    }
    const connection = new Http1Connection(socket, front, peer);
    this.connections.add(connection);
    connection.begin(first);
    if (this.#owner.isDraining) connection.drain();
  }

  #checkEmpty(): void {
    if (this.isEmpty) this.#owner.onEmpty();
  }
}

function lingerOptions({ limits: { linger, responseRate } }: Config): LingerOptions {
  return { ...linger, writeTimeoutMs: Math.max(linger.timeoutMs, responseRate.windowMs) };
}
