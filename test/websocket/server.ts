/** The server for the tests of tunnels: pools of sockets and of tunnels. */
import { fileURLToPath } from 'node:url';
import {
  type PoolInput,
  type Scope,
  type ServerInput,
  startServer,
  type TestServer,
} from '../server/harness.ts';

const application = (name: string): string =>
  fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));

export interface SocketServer extends TestServer {
  /** How long it lives. */
  readonly scope: Scope;
}

export const ONE_THREAD = { threads: { min: 1, max: 1 } };

/** `/…` and `/free/…` run sockets; only the first takes WebSockets. CONNECT to `*.tunnel.invalid` runs tunnels. */
export async function startSockets(
  scope: Scope,
  pool: Partial<PoolInput> = {},
  listeners?: ServerInput['listeners'],
): Promise<SocketServer> {
  const server = await startServer(scope, {
    ...(listeners && { listeners }),
    pools: {
      sockets: { application: application('sockets'), ...ONE_THREAD, ...pool },
      tunnels: { application: application('tunnels'), ...ONE_THREAD },
    },
    routes: [
      { path: '/*', pool: 'sockets', websocket: true },
      { path: '/free/*', pool: 'sockets' },
      { host: '*.tunnel.invalid', path: '/*', pool: 'tunnels', connect: true },
    ],
  });
  return { ...server, scope };
}
