/** What a server says of itself: JSON for the control socket, and for whoever embeds it. */
import type { ControlRoutes } from './control/routes.ts';
import type { Listener } from './listeners/listener.ts';
import type { Pool } from './pools/pool.ts';
import type { Server, ServerState } from './server.ts';
import { readVersion } from './version.ts';

export interface ServerStatus {
  readonly version: string;
  readonly pid: number;
  readonly state: ServerState;
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly PoolStatus[];
}

export interface ListenerStatus {
  /** `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/app.sock`. */
  readonly address: string;
  readonly tls: boolean;
}

export interface PoolStatus {
  readonly name: string;
  readonly state: Pool['state'];
  /** Exchanges that wait for a thread. */
  readonly queued: number;
  readonly threads: readonly ThreadStatus[];
}

export interface ThreadStatus {
  readonly name: string;
  readonly state: 'starting' | 'ready' | 'draining' | 'dead';
  /** Exchanges that it has, begun or not. */
  readonly open: number;
}

export function addStatus(routes: ControlRoutes, server: Server): void {
  routes.add('GET', '/status', (exchange) => exchange.answer(200, statusOf(server)));
}

export function statusOf({ parts, state }: Server): ServerStatus {
  return {
    version: readVersion(),
    pid: process.pid,
    state,
    listeners: parts.listeners.flatMap(listenerStatus),
    pools: parts.pools.map(poolStatus),
  };
}

function listenerStatus({ bound, isTls: tls }: Listener): readonly ListenerStatus[] {
  if (bound === null) return [];
  const { host, port, path } = bound;
  if (host === null) return [{ address: `unix:${path}`, tls }];
  return [{ address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, tls }];
}

function poolStatus(pool: Pool): PoolStatus {
  return {
    name: pool.name,
    state: pool.state,
    queued: pool.dispatcher.queuedJobs,
    threads: [...pool.threads].map(({ name, state, outstanding }) => ({ name, state, open: outstanding })),
  };
}
