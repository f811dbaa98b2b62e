/**
 * A client that reads a little at a time and says something after each piece, over TCP or TLS: what it says meets a server that has
 * ended the connection for its part, and must not cost the client what it has not read yet.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Scope } from './harness.ts';

export interface Security {
  readonly ca: string;
  readonly alpn: 'h2' | 'http/1.1';
}

export class SlowReader {
  readonly socket: Socket;
  /** What went wrong with the connection; null: nothing. */
  error: Error | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', (error) => {
      this.error = error;
    });
  }

  /** It keeps its own side open when the server has closed its. @param security null: cleartext */
  static async connect(scope: Scope, port: number, security: Security | null = null): Promise<SlowReader> {
    const address = { port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true };
    const socket =
      security === null
        ? connect(address)
        : connectTls({
            ...address,
            ca: security.ca,
            servername: 'localhost',
            ALPNProtocols: [security.alpn],
          });
    scope.teardown(() => socket.destroy());
    const reader = new SlowReader(socket);
    await once(socket, security === null ? 'connect' : 'secureConnect');
    return reader;
  }

  send(...pieces: readonly (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  }

  /** At most so many bytes; null: the server has closed its side, or the connection has failed. */
  async read(atMost: number): Promise<Buffer | null> {
    const { socket } = this;
    for (;;) {
      const { readableLength } = socket;
      if (readableLength > 0) return socket.read(Math.min(atMost, readableLength)) as Buffer;
      if (socket.readableEnded || socket.destroyed) return null;
      // Asks for more, or for the end.
      socket.read(0);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          for (const event of ['readable', 'end', 'close']) socket.off(event, wake);
          resolve();
        };
        for (const event of ['readable', 'end', 'close']) socket.on(event, wake);
      });
      if (socket.readableLength === 0 && socket.listenerCount('end') === 0) socket.read();
    }
  }

  /** All that comes; `say` is called for each so many bytes of it, and the server gets a turn to hear what it says. */
  async readAll(everyBytes: number, say: () => Uint8Array | string): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let untilNext = everyBytes;
    for (let piece = await this.read(untilNext); piece !== null; piece = await this.read(untilNext)) {
      pieces.push(piece);
      untilNext -= piece.length;
      if (untilNext > 0) continue;
      untilNext = everyBytes;
      if (this.socket.writable) this.socket.write(say());
      await new Promise((resolve) => setImmediate(resolve));
    }
    return Buffer.concat(pieces);
  }
}
