/**
 * A listener: accepts sockets and finds out, stage by stage, who the client is and which protocol it uses.
 *
 *   socket ─▶ PROXY header ─▶ ClientHello ─▶ turn ─▶ TLS handshake ─▶ HTTP/2 or HTTP/1
 *             if expected     if TLS is on                            by ALPN; without it by the first bytes (RFC 9113 section 3.3)
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ListenerConfig } from '../config/listeners.ts';
import type { Peer } from '../connections/peer.ts';
import type { ConnectionLimits } from '../server/limits.ts';
import { isForTls } from '../tls/client-hello.ts';
import { describeTls } from '../tls/description.ts';
import type { Handshakes } from '../tls/handshakes.ts';
import { isAllowedForHttp2 } from '../tls/http2-ciphers.ts';
import type { TlsTerminator } from '../tls/terminator.ts';
import { type BindAddress, type Bound, bind } from './bind.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import { Forwarding } from './forwarding.ts';
import { GivingWay } from './giving-way.ts';
import { beginsTls, protocolOf } from './protocol.ts';
import { parseProxyHeader } from './proxy-header.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { type Question, WaitingRoom } from './waiting-room.ts';

const NO_BYTES = Buffer.alloc(0);

/** Why a connection was closed before its protocol was known. */
export const refusals = [
  'too-many-connections',
  'too-many-connections-from-address',
  'first-bytes-timeout',
  'no-http',
  'http1-disabled',
  'untrusted-proxy',
  'proxy-header',
  'tls-handshake',
  'tls-handshake-timeout',
  'tls-handshake-gave-way',
  'client-certificate',
] as const;
export type Refusal = (typeof refusals)[number];

export interface ListenerHandler {
  /** @param first what was already read from the socket */
  onHttp2(socket: Socket, first: Buffer, peer: Peer): void;
  onHttp1(socket: Socket, first: Buffer, peer: Peer): void;
  onRefused(refusal: Refusal, address: string, why: string): void;
}

export interface ListenerTls {
  readonly terminator: TlsTerminator;
  /** Shared by all listeners. A connection beyond them waits. */
  readonly handshakes: Handshakes;
  /** See `isForTls`. */
  readonly maxHelloBytes: number;
}

export interface ListenerOptions {
  /** The index in the configuration; several sockets may have the same one. */
  readonly index: number;
  readonly config: Pick<
    ListenerConfig,
    'permissions' | 'tls' | 'proxyProtocol' | 'maxProxyHeaderBytes' | 'trustedProxies' | 'forwardedFields'
  >;
  /** Null: cleartext. */
  readonly tls: ListenerTls | null;
  /** Shared by all listeners. A connection beyond them is closed at once, unless connections give way. */
  readonly limits: ConnectionLimits;
  /** The oldest connection makes room for one beyond the limits (see `GivingWay`). Absent: none does. */
  readonly givesWay?: boolean;
  /** The time for what precedes a request: a PROXY header, and the first bytes of a protocol. */
  readonly headerTimeoutMs: number;
}

export class Listener {
  readonly #server: Server;
  readonly #handler: ListenerHandler;
  #options: ListenerOptions;
  readonly #waiting: WaitingRoom;
  /** Sockets whose ClientHello is incomplete. */
  readonly #greeting: WaitingRoom;
  /** Null: connections do not give way. */
  readonly #givingWay: GivingWay | null;
  #trusted: TrustedProxies;
  #forwarding: Forwarding;
  #bound: Bound | null = null;

  constructor(handler: ListenerHandler, options: ListenerOptions) {
    this.#handler = handler;
    this.#options = options;
    this.#waiting = new WaitingRoom(options.headerTimeoutMs, ({ remoteAddress = '' }) =>
      handler.onRefused('first-bytes-timeout', remoteAddress, 'no request began in time'),
    );
    this.#greeting = new WaitingRoom(
      options.config.tls?.handshakeTimeoutMs ?? options.headerTimeoutMs,
      ({ remoteAddress = '' }) =>
        handler.onRefused('tls-handshake-timeout', remoteAddress, 'no complete ClientHello arrived in time'),
    );
    this.#givingWay = options.givesWay === true ? new GivingWay() : null;
    this.#trusted = new TrustedProxies(options.config.trustedProxies);
    this.#forwarding = new Forwarding(this.#trusted, options.config.forwardedFields);
    // Half-open: the protocol decides what a FIN means.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** @throws ListenError */
  async listen(target: BindAddress): Promise<Bound> {
    this.#bound = await bind(this.#server, target, this.#options.config.permissions);
    return this.#bound;
  }

  /** New connections use these options. Where the listener listens, and whether with TLS, stays the same. */
  reconfigure(config: ListenerOptions['config'], headerTimeoutMs: number, maxHelloBytes: number): void {
    const { tls } = this.#options;
    const served = tls === null ? null : { ...tls, maxHelloBytes };
    this.#options = { ...this.#options, config, tls: served, headerTimeoutMs };
    this.#waiting.timeoutMs = headerTimeoutMs;
    this.#greeting.timeoutMs = config.tls?.handshakeTimeoutMs ?? headerTimeoutMs;
    this.#trusted = new TrustedProxies(config.trustedProxies);
    this.#forwarding = new Forwarding(this.#trusted, config.forwardedFields);
  }

  /** Null: it does not listen yet. */
  get bound(): Bound | null {
    return this.#bound;
  }

  get index(): number {
    return this.#options.index;
  }

  get isTls(): boolean {
    return this.#options.tls !== null;
  }

  /** Accepts no more connections. Those whose protocol is not known yet end. */
  close(): void {
    this.#server.close();
    this.#waiting.close();
    this.#greeting.close();
    this.#options.tls?.terminator.close();
  }

  #accept(socket: Socket): void {
    const { limits } = this.#options;
    const endpoint = endpointOf(socket, this.#bound?.host === null);
    if (endpoint === null) {
      socket.destroy();
      return;
    }
    if (!limits.open() && !this.#makeRoom()) {
      this.#refuse(socket, 'too-many-connections', endpoint, 'maxConnections connections are open');
      return;
    }
    const leave = (): void => {
      limits.close();
      this.#givingWay?.delete(socket);
    };
    socket.once('close', leave);
    this.#givingWay?.add(socket, endpoint, leave);
    if (this.#options.config.proxyProtocol === 'off') this.#acceptFrom(socket, NO_BYTES, endpoint);
    else this.#expectProxyHeader(socket, endpoint);
  }

  /** Ends a connection in favour of a new one, which is counted. @returns false: none gives way */
  #makeRoom(): boolean {
    const place = this.#givingWay?.next();
    if (place === undefined) return false;
    const { socket, endpoint, leave } = place;
    socket.off('close', leave);
    leave();
    this.#refuse(socket, 'too-many-connections', endpoint, 'it made room for a newer connection');
    return this.#options.limits.open();
  }

  /** Connections from there do not give way any more: the client has shown that it may ask. */
  keep(address: string, port: number): void {
    this.#givingWay?.keep(address, port);
  }

  #expectProxyHeader(socket: Socket, proxy: Endpoint): void {
    const { proxyProtocol, maxProxyHeaderBytes } = this.#options.config;
    if (proxyProtocol === 'off') return;
    if (!this.#trusted.includes(proxy)) {
      this.#refuse(socket, 'untrusted-proxy', proxy, 'its address is not in trustedProxies');
      return;
    }
    let length = 0;
    let client = proxy;
    this.#waiting.wait(socket, NO_BYTES, {
      examine: (seen) => {
        const verdict = parseProxyHeader(seen, proxyProtocol, maxProxyHeaderBytes);
        if (verdict.state === 'more') return 'more';
        if (verdict.state === 'wrong') {
          this.#handler.onRefused('proxy-header', proxy.address, verdict.why);
          return 'refused';
        }
        length = verdict.length;
        client = verdict.source ?? proxy;
        return 'known';
      },
      enter: (_, seen) => this.#acceptFrom(socket, seen.subarray(length), client),
    });
  }

  #acceptFrom(socket: Socket, seen: Buffer, client: Endpoint): void {
    const { tls, config, limits } = this.#options;
    // Many clients come through a trusted proxy from one address.
    if (!this.#trusted.includes(client)) {
      if (!limits.openFrom(client.address)) {
        const why = 'maxConnectionsPerAddress connections are open from its address';
        this.#refuse(socket, 'too-many-connections-from-address', client, why);
        return;
      }
      socket.once('close', () => limits.closeFrom(client.address));
    }
    if (tls === null) this.#acceptCleartext(socket, seen, client);
    else if (config.tls?.allowCleartext !== true) this.#secure(tls, socket, seen, client);
    else {
      this.#waiting.wait(socket, seen, {
        examine: () => 'known',
        enter: (_, first) => {
          if (beginsTls(first)) this.#secure(tls, socket, first, client);
          else this.#acceptCleartext(socket, first, client);
        },
      });
    }
  }

  #secure(tls: ListenerTls, socket: Socket, seen: Buffer, client: Endpoint): void {
    this.#greeting.wait(socket, seen, {
      examine: (hello) => (isForTls(hello, tls.maxHelloBytes) ? 'known' : 'more'),
      enter: (_, hello) => this.#awaitHandshake(tls, socket, hello, client),
    });
  }

  #awaitHandshake(
    { terminator, handshakes }: ListenerTls,
    socket: Socket,
    hello: Buffer,
    client: Endpoint,
  ): void {
    const { config } = this.#options;
    // TLS first takes what is in the socket's own buffer.
    socket.pause();
    socket.unshift(hello);
    socket.on('error', () => {
      // The peer has been sent nothing, and 'close' follows.
    });
    handshakes.add(socket, client.address, config.tls?.handshakeTimeoutMs ?? 0, {
      begin: () =>
        terminator.accept(socket, {
          onSecure: (secure) => {
            handshakes.over(socket);
            this.#acceptSecure(secure, client);
          },
          onFailure: (error) => {
            if (handshakes.over(socket)) this.#handshakeFailed(error, client);
          },
        }),
      late: () =>
        this.#refuse(socket, 'tls-handshake-timeout', client, 'its handshake could not begin in time'),
      giveWay: () =>
        this.#refuse(
          socket,
          'tls-handshake-gave-way',
          client,
          'it took longer than graceMs while others waited',
        ),
    });
  }

  #handshakeFailed(error: Error, { address }: Endpoint): void {
    const isLate = 'code' in error && error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT';
    this.#handler.onRefused(isLate ? 'tls-handshake-timeout' : 'tls-handshake', address, error.message);
  }

  #acceptSecure(socket: TLSSocket, client: Endpoint): void {
    const description = describeTls(socket, this.#options.config.tls?.maxClientCertificateBytes ?? 0);
    if (description === null) {
      this.#refuse(socket, 'client-certificate', client, 'it is larger than maxClientCertificateBytes');
      return;
    }
    const peer = this.#peer(client, description, isAllowedForHttp2(socket));
    if (socket.alpnProtocol === 'h2') this.#handler.onHttp2(socket, NO_BYTES, peer);
    else if (socket.alpnProtocol === 'http/1.1') this.#handler.onHttp1(socket, NO_BYTES, peer);
    else this.#waiting.wait(socket, NO_BYTES, this.#whichProtocol(peer));
  }

  #acceptCleartext(socket: Socket, seen: Buffer, client: Endpoint): void {
    this.#waiting.wait(socket, seen, this.#whichProtocol(this.#peer(client, '', true)));
  }

  #whichProtocol(peer: Peer): Question {
    return {
      examine: (seen) => {
        const protocol = protocolOf(seen);
        if (protocol === null) return 'more';
        if (protocol !== 'none') return 'known';
        this.#handler.onRefused('no-http', peer.address, 'its first line is neither HTTP/1 nor HTTP/2');
        return 'refused';
      },
      enter: (socket, seen) => {
        if (protocolOf(seen) === 'http2') this.#handler.onHttp2(socket, seen, peer);
        else this.#handler.onHttp1(socket, seen, peer);
      },
    };
  }

  #peer(client: Endpoint, tls: string, allowsHttp2: boolean): Peer {
    return {
      address: client.address,
      port: client.port,
      scheme: tls === '' ? 'http' : 'https',
      tls,
      forwarding: this.#trusted.includes(client) ? this.#forwarding : null,
      allowsHttp2,
    };
  }

  #refuse(socket: Socket, refusal: Refusal, { address }: Endpoint, why: string): void {
    socket.destroy();
    this.#handler.onRefused(refusal, address, why);
  }
}
