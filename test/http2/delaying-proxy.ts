/**
 * A TCP proxy that adds latency in both directions and counts round trips by causality: bytes belong to the
 * round in which their sender had received the previous one. The count shows what a peer had to wait for,
 * however fast the machine is.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../server/harness.ts';

export class DelayingProxy {
  readonly #oneWayMs: number;
  /** The latest round that each side has received. */
  #clientRound = 0;
  #serverRound = 0;
  port = 0;
  /** Bytes from clients, by the round in which they were sent. */
  readonly bytesByRound: number[] = [];

  private constructor(oneWayMs: number) {
    this.#oneWayMs = oneWayMs;
  }

  static async listen(scope: Scope, serverPort: number, oneWayMs: number): Promise<DelayingProxy> {
    const proxy = new DelayingProxy(oneWayMs);
    const sockets = new Set<Socket>();
    const server = createServer({ noDelay: true }, (client) => {
      const upstream = connect({ host: '127.0.0.1', port: serverPort, noDelay: true });
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
      }
      client.on('data', (chunk: Buffer) => proxy.#up(chunk, upstream));
      upstream.on('data', (chunk: Buffer) => proxy.#down(chunk, client));
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    });
    scope.teardown(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy.port = (server.address() as AddressInfo).port;
    return proxy;
  }

  get roundTrips(): number {
    return this.#clientRound;
  }

  #up(chunk: Buffer, upstream: Socket): void {
    const round = this.#clientRound;
    this.bytesByRound[round] = (this.bytesByRound[round] ?? 0) + chunk.length;
    setTimeout(() => {
      this.#serverRound = Math.max(this.#serverRound, round + 1);
      if (!upstream.destroyed) upstream.write(chunk);
    }, this.#oneWayMs);
  }

  #down(chunk: Buffer, client: Socket): void {
    const round = this.#serverRound;
    setTimeout(() => {
      this.#clientRound = Math.max(this.#clientRound, round);
      if (!client.destroyed) client.write(chunk);
    }, this.#oneWayMs);
  }
}
