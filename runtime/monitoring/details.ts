/** What metrics tell beside the status of a server. */

import type { Pool } from '../pools/pool.ts';
import type { FrontCounters } from '../status/front-counters.ts';

export interface MonitoringDetails {
  readonly front: Pick<FrontCounters, 'refused' | 'abuse'>;
  /** Of each pool, how many threads were replaced for what. */
  readonly recycled: readonly { readonly pool: string; readonly causes: Readonly<Record<string, number>> }[];
  readonly threads: readonly ThreadDetails[];
}

export interface ThreadDetails {
  readonly pool: string;
  readonly thread: string;
  /** How late its last timer was, of one each second. */
  readonly loopDelayMs: number;
  /** How often the reactor has woken it, and it the reactor. */
  readonly doorbellsTo: number;
  readonly doorbellsFrom: number;
}

export function detailsOf(pools: readonly Pool[], front: FrontCounters): MonitoringDetails {
  return {
    front,
    recycled: pools.map(({ name, renewal }) => ({ pool: name, causes: { ...renewal.recycledFor } })),
    threads: pools.flatMap((pool) =>
      [...pool.threads].map(({ name, vitals, channel }) => ({
        pool: pool.name,
        thread: name,
        loopDelayMs: vitals.loopDelayMs,
        doorbellsTo: channel.doorbellsRung,
        doorbellsFrom: channel.doorbellsHeard,
      })),
    ),
  };
}
