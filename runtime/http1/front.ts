/**
 * HTTP/1.x by Node's own parser: sockets that turned out to speak it are handed to a `node:http` server that listens
 * nowhere, and each of its requests becomes the same exchange that an HTTP/2 stream becomes.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Front } from '../connections/front.ts';
import { h2cUpgrade, type UpgradedRequest } from '../connections/h2c-upgrade.ts';
import { Http1Tunnel, isUpgrade } from '../connections/http1-tunnel.ts';
import type { Peer } from '../listeners/peer.ts';
import { Http1Connection, type Http1Server } from './connection.ts';
import { isRefused, type RequestHead, readHead } from './head.ts';
import type { Http1Options } from './options.ts';
import { upgradeOptions } from './upgrade-choice.ts';

/** How often deadlines for heads are looked at, at most. */
const CHECK_MS = 1_000;

export class Http1Front implements Http1Server {
  readonly front: Front;
  readonly options: Http1Options;
  readonly #server: Server;
  readonly #connections = new Map<Duplex, Http1Connection>();
  #open = 0;
  #draining = false;

  constructor(front: Front, options: Http1Options) {
    this.front = front;
    this.options = options;
    // Not imported: an import lists the module's exports, and listing them loads undici for `http.WebSocket`, which
    // costs the start 40 ms.
    const http = process.getBuiltinModule('node:http');
    const server = http.createServer({
      // It counts no colons, so what is within our count is within its own, and it only stops giants.
      maxHeaderSize: options.maxHeaderBytes,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      headersTimeout: options.headerTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, options.headerTimeoutMs),
      // A deadline for whole requests would end long uploads; slow ones are told by their rate.
      requestTimeout: 0,
      // Judged with the rest of the head, as Node looks at the first Host only.
      requireHostHeader: false,
      insecureHTTPParser: false,
      ...upgradeOptions(http, (request) => this.#isUpgrade(request)),
    });
    this.#server = server;
    // Beyond a count Node would leave fields out without telling.
    server.maxHeadersCount = 0;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      this.#request(request, response);
    server.on('request', onRequest);
    // Node would invite the content, or refuse the expectation, before anybody has looked at the request.
    server.on('checkContinue', onRequest);
    server.on('checkExpectation', onRequest);
    const onTunnel = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      try {
        this.#tunnel(request, socket as Socket, head);
      } catch (error) {
        front.onFault(error);
        socket.destroy();
      }
    };
    server.on('upgrade', onTunnel);
    server.on('connect', onTunnel);
    server.on('clientError', (error, socket) => {
      const connection = this.#connections.get(socket);
      if (connection === undefined) socket.destroy();
      else connection.onParseError(error);
    });
    // Once Node waits for a next request no longer.
    server.on('timeout', (socket) => {
      const connection = this.#connections.get(socket);
      if (connection === undefined) socket.destroy();
      else connection.onIdle();
    });
    // Its deadlines on slow heads run from 'listening' on, and this server never listens itself.
    server.emit('listening');
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** Exchanges open on all HTTP/1 connections. */
  get openExchanges(): number {
    return this.#open;
  }

  /** @param first what has been read of the socket already. */
  accept(socket: Socket, first: Buffer, peer: Peer): void {
    this.#connections.set(socket, new Http1Connection(socket, peer, this));
    socket.once('close', () => this.#connections.delete(socket));
    socket.pause();
    if (first.length > 0) socket.unshift(first);
    this.#server.emit('connection', socket);
    socket.resume();
  }

  tick(nowMs: number): void {
    for (const [socket, connection] of this.#connections) {
      try {
        connection.tick(nowMs);
      } catch (error) {
        this.front.onFault(error);
        socket.destroy();
      }
    }
  }

  drain(): void {
    this.#draining = true;
    // Node knows which connections have no request under way, and would destroy them, those whose last response has not left
    // among them.
    for (const [socket, connection] of this.#connections) {
      socket.destroy = () => {
        connection.drain();
        return socket;
      };
    }
    this.#server.close();
    for (const socket of this.#connections.keys()) Reflect.deleteProperty(socket, 'destroy');
  }

  destroy(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#server.close();
  }

  exchangeOpened(): void {
    this.#open++;
  }

  exchangeClosed(): void {
    this.#open--;
    if (this.#open === 0) this.front.onHttp1Idle();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.front.reactor.tick();
    // Absent when it was closed between its bytes and their parsing.
    try {
      this.#connections.get(request.socket)?.onRequest(request, response);
    } catch (error) {
      this.front.onFault(error);
      request.socket.destroy();
    }
  }

  /** Whether Node shall leave HTTP behind for this request. Behind a refusal or an open request it is not. */
  #isUpgrade(request: IncomingMessage): boolean {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || !connection.mayUpgrade) return false;
    const head = readHead(request, this.options);
    if (isRefused(head)) return false;
    return (
      isUpgrade(request, head, this.front, connection.peer) || this.#h2c(request, head, connection) !== null
    );
  }

  #h2c(request: IncomingMessage, head: RequestHead, connection: Http1Connection): UpgradedRequest | null {
    if (!this.options.upgradeH2c || this.#draining) return null;
    return h2cUpgrade(request, head, connection.peer);
  }

  #tunnel(request: IncomingMessage, socket: Socket, first: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    this.front.reactor.tick();
    const head = readHead(request, this.options);
    if (isRefused(head)) {
      connection.fail(head);
    } else if (!connection.mayUpgrade) {
      // Its answer would have to wait for theirs, while the socket has left HTTP already.
      connection.fail({ status: 501, why: 'CONNECT does not follow requests that are not answered yet' });
    } else {
      connection.release();
      const h2c = isUpgrade(request, head, this.front, connection.peer)
        ? null
        : this.#h2c(request, head, connection);
      if (h2c !== null) {
        socket.setTimeout(0);
        this.front.onUpgraded(socket, first, connection.peer, h2c);
        return;
      }
      this.exchangeOpened();
      socket.once('close', () => this.exchangeClosed());
      const { requestWindowBytes } = this.options;
      new Http1Tunnel(request, head, socket, first, this.front, connection.peer, requestWindowBytes);
    }
  }
}
