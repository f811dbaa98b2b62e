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
 * @param pools those that are not optional
 * @param nowMs the reactor's time
 * @param unresponsiveMs a thread that is awake and has been silent for this long computes or hangs, and does not count
 */
export function readinessOf(
  state: ServerState,
  pools: Iterable<Pool>,
  nowMs: number,
  unresponsiveMs: number,
): Readiness {
  const unready: UnreadyPool[] = [];
  for (const pool of pools) {
    const why = reasonOf(pool, nowMs - unresponsiveMs);
    if (why !== null) unready.push({ pool: pool.name, why });
  }
  return { ready: state === 'running' && unready.length === 0, state, pools: unready };
}

function reasonOf({ dispatcher }: Pool, sinceMs: number): UnreadyPool['why'] | null {
  if (dispatcher.threads.length === 0) return 'loading';
  return dispatcher.threads.every((thread) => thread.isStalled(sinceMs)) ? 'unresponsive' : null;
}
