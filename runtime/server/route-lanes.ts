/**
 * The lanes of routes. They outlast a reload: exchanges of both configurations count towards the limit of their route, and the cost of a
 * route's old code is a better estimate for the new code than none.
 */
import type { RouteConfig } from '../config/config.ts';
import { Lane, type LaneOptions } from '../pools/lane.ts';
import type { Pool } from '../pools/pool.ts';

export class RouteLanes {
  readonly #lanes = new WeakMap<Pool, Map<string, Lane>>();

  /** @param maxHeld the default for a route that sets none */
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

  /** Forgets those lanes of the pool whose routes are gone. A route that leads elsewhere now may come back. */
  keepOnly(routes: readonly RouteConfig[], pool: Pool): void {
    const kept = new Set(routes.map(({ host, path }) => `${host}${path}`));
    const lanes = this.#lanes.get(pool);
    for (const key of lanes?.keys() ?? []) if (!kept.has(key)) lanes?.delete(key);
  }
}
