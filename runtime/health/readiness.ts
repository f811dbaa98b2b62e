/** Whether a server is ready for requests, and what keeps it from that. */
import type { Pool } from '../pools/pool.ts';
import type { ServerState } from '../status/status-types.ts';

export interface UnreadyPool {
  readonly pool: string;
  /** `loading`: no thread has loaded the application, or all that had are gone; `unresponsive`: none of them comes around its loop. */
  readonly why: 'loading' | 'unresponsive';
}

export interface Readiness {
  readonly ready: boolean;
  readonly state: ServerState;
  /** Those that requests depend on and that cannot answer any. */
  readonly pools: readonly UnreadyPool[];
}

/**
 * @param pools those that are not optional
 * @param nowMs of the reactor
 * @param unresponsiveMs a thread that has work and has said nothing for so long computes, or hangs
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
