/** What metrics report beside the status of a server. */

import type { Pool } from '../pools/pool.ts';
import type { ThreadCosts } from '../pools/thread-costs.ts';
import type { FrontCounters } from '../status/front-counters.ts';

export interface MonitoringDetails {
  readonly front: Pick<FrontCounters, 'refused' | 'requests' | 'abuse'>;
  readonly pools: readonly PoolDetails[];
  readonly threads: readonly ThreadDetails[];
}

export interface PoolDetails {
  readonly pool: string;
  /** How many threads were replaced, and how many died, by cause. */
  readonly recycled: Readonly<Record<string, number>>;
  readonly died: Readonly<Record<string, number>>;
  readonly costs: Pick<ThreadCosts, 'doorbellsTo' | 'doorbellsFrom' | 'collectingMs'>;
}

export interface ThreadDetails {
  readonly pool: string;
  readonly thread: string;
  /** How late its last timer was, of one each second. */
  readonly loopDelayMs: number;
}

export function detailsOf(pools: readonly Pool[], front: FrontCounters): MonitoringDetails {
  return {
    front,
    pools: pools.map(({ name, renewal, figures }) => ({
      pool: name,
      recycled: renewal.recycledFor,
      died: figures.diedFor,
      costs: figures.costs,
    })),
    threads: pools.flatMap((pool) =>
      [...pool.threads].map(({ name, vitals }) => ({
        pool: pool.name,
        thread: name,
        loopDelayMs: vitals.loopDelayMs,
      })),
    ),
  };
}
