/**
 * TLS for a listener's sockets, by a `node:tls` server that does not listen: accepted sockets are passed to
 * it, and come back when their handshake is done. Its material can be replaced at any time; existing
 * connections keep what they have negotiated.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { TlsConfig } from '../config/listeners.ts';
import { type TlsMaterial, ticketKeyBytes } from './material.ts';

/** The outcome for one socket: one of the two is called, once. */
export interface HandshakeHandler {
  onSecure(socket: TLSSocket): void;
  /** The socket has been destroyed. */
  onFailure(error: Error): void;
}

/**
 * A socket in its handshake. It is emptied afterwards, because the context that carries it lives as long as
 * the connection.
 */
interface Handshake {
  raw: Socket | null;
  handler: HandshakeHandler | null;
}

export class TlsTerminator {
  readonly #config: TlsConfig;
  readonly #server: Server;
  /**
   * Node's server reports a secure socket without saying which of the sockets it was given it belongs to. The
   * event arrives in the asynchronous context in which that socket was passed on.
   */
  readonly #handshakes = new AsyncLocalStorage<Handshake>();
  readonly #open = new Set<Socket>();
  #material: TlsMaterial;
  /** The key for tickets, unless the material has one. */
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
      // After its deadline, Node leaves the socket of a handshake to the listener of this event.
      socket.destroy();
      this.#finish(this.#handshakes.getStore(), (handler) => handler.onFailure(error));
    });
    if (config.ticketKeys === null && config.sessionLifetimeSeconds > 0) this.#rotateTickets();
  }

  /** The digest of the material in force; see `TlsMaterial`. */
  get digest(): string {
    return this.#material.digest;
  }

  /** @param socket just accepted, or paused with everything read from it put back */
  accept(socket: Socket, handler: HandshakeHandler): void {
    const handshake: Handshake = { raw: socket, handler };
    this.#open.add(socket);
    socket.on('error', () => {
      // The socket above reports any error, and 'close' follows.
    });
    socket.once('close', () => {
      this.#finish(handshake, (waiting) => waiting.onFailure(new Error('closed by the client')));
    });
    // A peer that closes its side cannot continue its handshake. If half-open, its socket would wait for the
    // deadline.
    socket.allowHalfOpen = false;
    this.#handshakes.run(handshake, () => this.#server.emit('connection', socket));
  }

  /** Handshakes use this material from now on. */
  replace(material: TlsMaterial): void {
    this.#material = material;
    this.#server.setSecureContext(this.#contextOptions(material));
  }

  /** Ends the handshakes in progress. Connections stay. */
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

  /** Undefined selects Node's default. */
  #contextFor(servername: string): SecureContext | undefined {
    return this.#material.names.find(servername);
  }

  #contextOptions({ defaults, ticketKeys }: TlsMaterial) {
    const { sessionLifetimeSeconds } = this.#config;
    return {
      ...defaults,
      // Zero would mean OpenSSL's own lifetime; in that case no tickets are issued.
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
