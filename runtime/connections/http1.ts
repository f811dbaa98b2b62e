/**
 * HTTP/1.x by Node's own parser: sockets that turned out to speak it are handed to a `node:http` server that listens
 * nowhere, and each of its requests becomes the same exchange that an HTTP/2 stream becomes.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Exchange, type Transport } from '../exchange.ts';
import type { Peer } from '../listeners/peer.ts';
import { type Front, NOWHERE } from './front.ts';
import { Http1Tunnel, isUpgrade } from './http1-tunnel.ts';

const CANCEL = 0x8;
const NO_BYTES = new Uint8Array(0);

/** Fields that say something about this connection and nothing about the request (RFC 9110 section 7.6.1). */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
]);

export interface Http1Options {
  readonly maxHeaderBytes: number;
  readonly keepAliveTimeoutMs: number;
  readonly headerTimeoutMs: number;
  /** Request bytes kept for an application that does not read. */
  readonly requestWindowBytes: number;
}

export class Http1Front {
  readonly #server: Server;
  readonly #front: Front;
  readonly #options: Http1Options;
  readonly #sockets = new Map<Socket, Peer>();
  #open = 0;
  #draining = false;

  constructor(front: Front, options: Http1Options) {
    this.#front = front;
    this.#options = options;
    // Not imported: an import lists the module's exports, and listing them loads undici for `http.WebSocket`, which
    // costs the start 40 ms.
    this.#server = process.getBuiltinModule('node:http').createServer({
      maxHeaderSize: options.maxHeaderBytes,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      headersTimeout: options.headerTimeoutMs,
      requireHostHeader: true,
      insecureHTTPParser: false,
      shouldUpgradeCallback: (request) => this.#isUpgrade(request),
    });
    const onTunnel = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
      this.#tunnel(request, socket as Socket, head);
    this.#server.on('upgrade', onTunnel);
    this.#server.on('connect', onTunnel);
    this.#server.on('request', (request, response) => this.#request(request, response));
    // Its deadlines on slow heads run from 'listening' on, and this server never listens itself.
    this.#server.emit('listening');
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
    this.#sockets.set(socket, peer);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.pause();
    if (first.length > 0) socket.unshift(first);
    this.#server.emit('connection', socket);
    socket.resume();
  }

  drain(): void {
    this.#draining = true;
    this.#server.closeIdleConnections();
    this.#server.close();
  }

  destroy(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #isUpgrade(request: IncomingMessage): boolean {
    const peer = this.#sockets.get(request.socket);
    if (peer === undefined) return false;
    const fields = receivedFields(request.rawHeaders, request.headers.connection);
    return isUpgrade(request, fields, this.#front, peer);
  }

  #tunnel(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const peer = this.#sockets.get(socket);
    if (peer === undefined) return;
    this.#front.reactor.tick();
    this.#opened(socket);
    const fields = receivedFields(request.rawHeaders, request.headers.connection);
    new Http1Tunnel(request, socket, head, fields, this.#front, peer, this.#options.requestWindowBytes);
  }

  /** @param end whose 'close' is the exchange's. */
  #opened(end: ServerResponse | Socket): void {
    this.#open++;
    end.once('close', () => {
      this.#open--;
      if (this.#open === 0) this.#front.onHttp1Idle();
    });
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    this.#front.reactor.tick();
    this.#opened(response);
    const peer = this.#sockets.get(request.socket);
    // Closed between its bytes and their parsing.
    if (peer === undefined) return;
    new Http1Transport(request, response, this, this.#front, peer, this.#options.requestWindowBytes).start();
  }
}

/** One request of an HTTP/1 connection. */
class Http1Transport implements Transport {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #server: Http1Front;
  readonly #front: Front;
  readonly #windowBytes: number;
  readonly #exchange: Exchange;
  #unconsumedBytes = 0;
  #requestEnded: boolean;
  /** What trusted proxies say of the client cannot be read in one way. */
  readonly #isRefused: boolean;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    server: Http1Front,
    front: Front,
    peer: Peer,
    windowBytes: number,
  ) {
    this.#request = request;
    this.#response = response;
    this.#server = server;
    this.#front = front;
    this.#windowBytes = windowBytes;
    const host = request.headers.host ?? '';
    const fields = receivedFields(request.rawHeaders, request.headers.connection);
    const client = peer.forwarding === null ? null : peer.forwarding.clientOf(peer, host, fields);
    this.#isRefused = peer.forwarding !== null && client === null;
    const authority = client?.authority ?? host;
    const path = request.url ?? '/';
    const length = request.headers['content-length'];
    this.#requestEnded =
      request.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0);
    this.#exchange = new Exchange(
      this,
      null,
      front.router.find(authority, path) ?? NOWHERE,
      request.method ?? 'GET',
      client?.scheme ?? peer.scheme,
      authority,
      path,
      request.httpVersionMinor === 0 ? '1.0' : '1.1',
      client?.address ?? peer.address,
      client?.port ?? peer.port,
      fields,
      this.#requestEnded,
      peer.tls,
    );
  }

  start(): void {
    const request = this.#request;
    this.#response.on('close', () => this.#closed());
    request.on('error', () => {
      // The response's 'close' follows, and ends the exchange.
    });
    this.#response.on('error', () => {
      // As above.
    });
    if (!this.#requestEnded) {
      request.on('data', (chunk: Buffer) => this.#data(chunk));
      request.on('end', () => this.#end());
    }
    if (this.#isRefused) this.#exchange.answer(400);
    else this.#exchange.start();
  }

  #data(chunk: Buffer): void {
    this.#front.reactor.tick();
    this.#unconsumedBytes += chunk.length;
    if (this.#unconsumedBytes >= this.#windowBytes) this.#request.pause();
    this.#exchange.onRequestData(chunk, 0, chunk.length, false);
    this.#front.reactor.request();
  }

  #end(): void {
    this.#requestEnded = true;
    this.#front.reactor.tick();
    const trailers = receivedFields(this.#request.rawTrailers, undefined);
    if (trailers.length > 0) this.#exchange.onRequestTrailers(trailers);
    else this.#exchange.onRequestData(NO_BYTES, 0, 0, true);
    this.#front.reactor.request();
  }

  #closed(): void {
    const whole = this.#response.writableFinished && this.#requestEnded;
    this.#front.reactor.tick();
    this.#exchange.onTransportClosed(!whole, whole ? 0 : CANCEL, true);
    this.#front.reactor.request();
  }

  // ---- Transport

  inform(_exchange: Exchange, status: number, fields: readonly string[]): void {
    // RFC 9110 section 15.2: a 1.0 client must not be sent one. Of the rest Node can send these three.
    if (this.#request.httpVersionMinor === 0) return;
    if (status === 100) this.#response.writeContinue();
    else if (status === 102) this.#response.writeProcessing();
    else if (status === 103) this.#response.writeEarlyHints(byName(fields));
  }

  respond(_exchange: Exchange, status: number, fields: string[], end: boolean): void {
    // Node says `Connection: close` then, and the client asks for nothing more on this connection.
    if (this.#server.isDraining) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, fields);
    if (end) this.#response.end();
    else this.#response.flushHeaders();
  }

  accept(): void {
    // Requests for tunnels are Http1Tunnel's: no thread is asked for one here.
    this.reset();
  }

  write(exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const length = end - start;
    if (length > 0) {
      // Node keeps the buffer until the socket has taken it; the ring's memory does not last that long.
      const copy = Buffer.from(bytes.subarray(start, end));
      this.#response.write(copy, () => exchange.onSent(length));
    }
    if (last) this.#response.end();
  }

  trailers(_exchange: Exchange, fields: readonly string[]): void {
    const pairs: [string, string][] = [];
    for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] as string, fields[i + 1] as string]);
    this.#response.addTrailers(pairs);
    this.#response.end();
  }

  reset(): void {
    // HTTP/1 has no other way to say that a message will not be completed (RFC 9112 section 8).
    this.#response.destroy();
  }

  consume(_exchange: Exchange, bytes: number): void {
    this.#unconsumedBytes -= bytes;
    if (this.#unconsumedBytes < this.#windowBytes >> 1 && this.#request.isPaused()) this.#request.resume();
  }

  stopReading(): void {
    // What still comes is discarded as it arrives, so that the peer gets to read the response.
    this.#unconsumedBytes = 0;
    this.#request.resume();
  }
}

/** Node's raw list with lower-case names, without what belongs to the connection and without Host. */
function receivedFields(raw: readonly string[], connection: string | undefined): string[] {
  const named = connection === undefined ? null : connection.toLowerCase().split(',');
  const flat: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (name === 'host' || CONNECTION_FIELDS.has(name)) continue;
    if (named?.some((token) => token.trim() === name)) continue;
    flat.push(name, raw[i + 1] as string);
  }
  return flat;
}

function byName(fields: readonly string[]): { link: string[]; [name: string]: string[] } {
  const named: { link: string[]; [name: string]: string[] } = { link: [] };
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const values = (named[name] ??= []);
    values.push(fields[i + 1] as string);
  }
  return named;
}
