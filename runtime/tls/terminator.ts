/**
 * TLS for a listener's sockets, by a `node:tls` server that listens nowhere: accepted sockets are handed to it, and come
 * back when their handshake is done. What it serves with can be replaced at any time; connections that stand keep what they
 * agreed on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { TlsConfig } from '../config/listeners.ts';
import { type TlsMaterial, ticketKeyBytes } from './material.ts';

/** What becomes of one socket: one of the two is called, once. */
export interface HandshakeHandler {
  onSecure(socket: TLSSocket): void;
  /** The socket has been destroyed. */
  onFailure(error: Error): void;
}

/** A socket in its handshake. Emptied when that is over: the context that carries it lives as long as the connection. */
interface Handshake {
  raw: Socket | null;
  handler: HandshakeHandler | null;
}

export class TlsTerminator {
  readonly #config: TlsConfig;
  readonly #server: Server;
  /**
   * Node's server tells of a socket that it is secure, and not which of those it was given it was. Its events come in the
   * asynchronous context that the socket was handed over in.
   */
  readonly #handshakes = new AsyncLocalStorage<Handshake>();
  readonly #open = new Set<Socket>();
  #material: TlsMaterial;
  /** What tickets are sealed with, unless the material says. */
  #ticketKeys = randomBytes(ticketKeyBytes);
  #rotation: NodeJS.Timeout | null = null;

  constructor(config: TlsConfig, material: TlsMaterial, alpnProtocols: readonly string[]) {
    this.#config = config;
    this.#material = material;
    this.#server = createServer({
      ...this.#contextOptions(material),
      requestCert: config.requestCert,
      rejectUnauthorized: config.rejectUnauthorized,
      handshakeTimeout: config.handshakeTimeoutMs,
      ALPNProtocols: [...alpnProtocols],
      SNICallback: (servername, done) => done(null, this.#contextFor(servername)),
    });
    this.#server.on('secureConnection', (socket) => {
      // From here on the protocol decides what the end of the peer's side means.
      socket.allowHalfOpen = true;
      this.#finish(this.#handshakes.getStore(), (handler) => handler.onSecure(socket));
    });
    this.#server.on('tlsClientError', (error, socket) => {
      // After its deadline Node leaves a handshake to whoever hears of it.
      socket.destroy();
      this.#finish(this.#handshakes.getStore(), (handler) => handler.onFailure(error));
    });
    if (config.ticketKeys === null && config.sessionLifetimeSeconds > 0) this.#rotateTickets();
  }

  /** Of what is in force; see `TlsMaterial`. */
  get digest(): string {
    return this.#material.digest;
  }

  /** @param socket just accepted, or paused with what has been read of it put back */
  accept(socket: Socket, handler: HandshakeHandler): void {
    const handshake: Handshake = { raw: socket, handler };
    this.#open.add(socket);
    socket.on('error', () => {
      // Whatever happens to it, the socket above it says so; and 'close' follows.
    });
    socket.once('close', () => {
      this.#finish(handshake, (waiting) => waiting.onFailure(new Error('closed by the client')));
    });
    // A peer that closes its side cannot go on with its handshake. Half open, its socket would wait for the deadline.
    socket.allowHalfOpen = false;
    this.#handshakes.run(handshake, () => this.#server.emit('connection', socket));
  }

  /** Handshakes from now on are made with this. */
  replace(material: TlsMaterial): void {
    this.#material = material;
    this.#server.setSecureContext(this.#contextOptions(material));
  }

  /** Ends the handshakes that are under way. Connections stay. */
  close(): void {
    if (this.#rotation !== null) clearInterval(this.#rotation);
    for (const socket of this.#open) socket.destroy();
  }

  #finish(handshake: Handshake | undefined, tell: (handler: HandshakeHandler) => void): void {
    if (handshake === undefined || handshake.raw === null || handshake.handler === null) return;
    const { raw, handler } = handshake;
    handshake.raw = null;
    handshake.handler = null;
    this.#open.delete(raw);
    tell(handler);
  }

  /** Undefined leaves the default. */
  #contextFor(servername: string): SecureContext | undefined {
    return this.#material.names.find(servername);
  }

  #contextOptions({ defaults, ticketKeys }: TlsMaterial) {
    const { sessionLifetimeSeconds } = this.#config;
    return {
      ...defaults,
      // Zero would mean OpenSSL's own lifetime; no ticket is given out then.
      ...(sessionLifetimeSeconds > 0 && { sessionTimeout: sessionLifetimeSeconds }),
      ticketKeys: ticketKeys ?? this.#ticketKeys,
    };
  }

  #rotateTickets(): void {
    this.#rotation = setInterval(() => {
      this.#ticketKeys = randomBytes(ticketKeyBytes);
      this.#server.setTicketKeys(this.#ticketKeys);
    }, this.#config.ticketRotationMs);
    this.#rotation.unref();
  }
}
