/** The same handler on node:http and on node:http2, whose compatibility interface is node:http's: what Sluice is held against. */
import { createServer as createHttp1, type RequestListener } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Scope } from '../../server/harness.ts';

export interface Address {
  readonly origin: string;
  readonly port: number;
}

/** By version. */
export async function startReference(
  scope: Scope,
  handler: RequestListener,
): Promise<Record<string, Address>> {
  const http2 = createHttp2(handler as never);
  http2.on('sessionError', () => undefined);
  return {
    '1.1': await listen(scope, createHttp1(handler)),
    '2.0': await listen(scope, http2 as unknown as Server),
  };
}

export async function listen(scope: Scope, server: Server): Promise<Address> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, port };
}
