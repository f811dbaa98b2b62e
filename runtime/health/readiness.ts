/** Whether a server is ready for requests, and if not, why. */
import type { Pool } from '../pools/pool.ts';
import type { ServerState } from '../status/status-types.ts';

export interface UnreadyPool {
  readonly pool: string;
  /** `loading`: no thread has loaded the application, or those that had are gone; `unresponsive`: no event loop of its threads turns. */
  readonly why: 'loading' | 'unresponsive';
}

export interface Readiness {
  readonly ready: boolean;
  readonly state: ServerState;
  /** The pools that are not optional and cannot answer. */
  readonly pools: readonly UnreadyPool[];
}

/**
 * @param pools the pools that are not optional
 * @param unresponsiveMs a thread that has been away from its event loop for this long computes or hangs, and does not count
 */
export function readinessOf(state: ServerState, pools: Iterable<Pool>, unresponsiveMs: number): Readiness {
  const unready: UnreadyPool[] = [];
  for (const pool of pools) {
    const why = reasonOf(pool, unresponsiveMs);
    if (why !== null) unready.push({ pool: pool.name, why });
  }
  return { ready: state === 'running' && unready.length === 0, state, pools: unready };
}

function reasonOf(pool: Pool, unresponsiveMs: number): UnreadyPool['why'] | null {
  if (pool.readyThreads === 0) return 'loading';
  return pool.isResponsive(unresponsiveMs) ? null : 'unresponsive';
}
