/**
 * A cleartext listener: accepts sockets and tells HTTP/2 with prior knowledge (RFC 9113 section 3.3) from HTTP/1.1 by
 * the first bytes. TLS tells by ALPN instead and meets the same two ways on.
 */
import { createServer, type Server, type Socket } from 'node:net';

/** The start of the client preface (RFC 9113 section 3.4) that no HTTP/1 request begins with. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface ListenerHandler {
  onHttp2(socket: Socket, first: Buffer): void;
  onHttp1(socket: Socket, first: Buffer): void;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Connections in all; one more is closed at once. */
  readonly maxConnections: number;
  /** For the first bytes to arrive. */
  readonly headerTimeoutMs: number;
}

export class Listener {
  readonly #server: Server;
  readonly #handler: ListenerHandler;
  readonly #options: ListenerOptions;
  /** Sockets that have not shown what they speak. */
  readonly #unknown = new Set<Socket>();

  constructor(handler: ListenerHandler, options: ListenerOptions) {
    this.#handler = handler;
    this.#options = options;
    // Half-open, as a client that has said all it has to say still reads.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  /** Resolves with the port, which the system chose when it was 0. */
  listen(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.once('error', reject);
    this.#server.listen({ host: this.#options.host, port: this.#options.port, backlog: 4096 }, () => {
      this.#server.off('error', reject);
      const address = this.#server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : this.#options.port);
    });
    return promise;
  }

  /** Takes no more connections; those whose protocol is not known yet end. */
  close(): void {
    this.#server.close();
    for (const socket of this.#unknown) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#unknown.add(socket);
    socket.setTimeout(this.#options.headerTimeoutMs, () => socket.destroy());
    let seen: Buffer | null = null;
    const settle = (): void => {
      this.#unknown.delete(socket);
      socket.off('data', onData);
      socket.off('error', onEnd);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
    };
    const onEnd = (): void => {
      settle();
      socket.destroy();
    };
    const onData = (chunk: Buffer): void => {
      seen = seen === null ? chunk : Buffer.concat([seen, chunk]);
      const compared = Math.min(seen.length, PREFACE.length);
      const isPreface = PREFACE.compare(seen, 0, compared, 0, compared) === 0;
      // Short of the whole preface it may still be either.
      if (isPreface && compared < PREFACE.length) return;
      settle();
      if (isPreface) this.#handler.onHttp2(socket, seen);
      else this.#handler.onHttp1(socket, seen);
    };
    socket.on('data', onData);
    socket.on('error', onEnd);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
  }
}
