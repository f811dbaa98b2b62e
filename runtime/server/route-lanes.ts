/**
 * The lanes of routes, which outlast a reload: what is with a pool counts towards the limit of its route, whichever configuration it came
 * by, and what a route costs is better guessed by its old code than by nothing.
 */
import type { RouteConfig } from '../config/config.ts';
import { Lane, type LaneOptions } from '../pools/lane.ts';
import type { Pool } from '../pools/pool.ts';

export class RouteLanes {
  readonly #lanes = new WeakMap<Pool, Map<string, Lane>>();

  /** @param maxHeld where the route says nothing of it */
  laneOf(route: RouteConfig, pool: Pool, maxHeld: number): Lane {
    const options: LaneOptions = {
      maxConcurrent: route.maxConcurrent ?? Infinity,
      maxHeld: route.maxHeld ?? maxHeld,
      hasAffinity: route.affinity !== undefined,
    };
    const lanes = this.#lanes.get(pool) ?? new Map<string, Lane>();
    this.#lanes.set(pool, lanes);
    const key = `${route.host}${route.path}`;
    const known = lanes.get(key);
    if (known !== undefined) {
      known.reconfigure(options);
      return known;
    }
    const lane = new Lane(options);
    lanes.set(key, lane);
    return lane;
  }

  /** No other routes lead to this pool any more. */
  keepOnly(routes: readonly RouteConfig[], pool: Pool): void {
    const kept = new Set(routes.map(({ host, path }) => `${host}${path}`));
    const lanes = this.#lanes.get(pool);
    for (const key of lanes?.keys() ?? []) if (!kept.has(key)) lanes?.delete(key);
  }
}
