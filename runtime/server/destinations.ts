/**
 * The destination of each route: the pool that runs its exchanges, their bounds, and who counts and logs how they end. A reload makes
 * all destinations again; the counters and lanes of pools that stay are kept.
 */
import type { Config, PoolConfig, RouteConfig } from '../config/config.ts';
import { NOWHERE } from '../connections/front.ts';
import { parseAffinity } from '../exchange/affinity.ts';
import type { Destination } from '../exchange/exchange.ts';
import { OutcomeCounters } from '../exchange/outcomes.ts';
import { AccessLog, isAccessLogged } from '../logging/access-log.ts';
import type { Log } from '../logging/log.ts';
import { RequestDurations } from '../monitoring/request-durations.ts';
import type { Pool } from '../pools/pool.ts';
import { StalePage } from '../watch/stale-page.ts';
import { RouteLanes } from './route-lanes.ts';

export interface DestinationsOptions {
  readonly log: Log;
  /** The reactor's time. */
  readonly nowMs: () => number;
  /** Why the version on the disk of a pool does not run, for a developer's browser; null: files are not watched. */
  readonly explainStale: ((pool: string) => string | undefined) | null;
}

export class Destinations {
  /** By pool. */
  readonly outcomes = new Map<string, OutcomeCounters>();
  /** Counts requests that no route matches. */
  readonly unrouted = new OutcomeCounters();
  readonly #options: DestinationsOptions;
  readonly #lanes = new RouteLanes();
  #config: Config;
  #pools: ReadonlyMap<string, Pool>;
  /** Null: there is no `monitoring`. */
  readonly durations: RequestDurations | null;
  /** Null: there is no access log. */
  #accessLog: AccessLog | null = null;

  constructor(config: Config, pools: ReadonlyMap<string, Pool>, options: DestinationsOptions) {
    this.#options = options;
    this.#config = config;
    this.#pools = pools;
    this.durations = config.monitoring === null ? null : new RequestDurations(options.nowMs);
    this.take(config, pools);
  }

  /** Destinations are made from this configuration and these pools from now on. */
  take(config: Config, pools: ReadonlyMap<string, Pool>): void {
    this.#config = config;
    this.#pools = pools;
    const { log, nowMs } = this.#options;
    const isLogged = isAccessLogged(config.log, config.log.file === null && process.stdout.isTTY === true);
    this.#accessLog = isLogged ? new AccessLog(log, config.log, nowMs) : null;
    for (const name of pools.keys()) {
      if (!this.outcomes.has(name)) this.outcomes.set(name, new OutcomeCounters());
    }
    for (const pool of pools.values()) this.#lanes.keepOnly(config.routes, pool);
    const places = config.routes.map((route) => ({ route: labelOf(route), pool: route.pool }));
    this.durations?.keepOnly([...places, { route: '', pool: '' }]);
  }

  /** The pool has ended. */
  forget(pool: string): void {
    this.outcomes.delete(pool);
  }

  of(route: RouteConfig): Destination {
    const { pool: name, maxBodyBytes, minRequestBytesPerSecond, computeTimeoutMs } = route;
    const pool = this.#pools.get(name) as Pool;
    const config = this.#config.pools[name] as PoolConfig;
    const label = labelOf(route);
    return {
      route: label,
      ...this.#takerOf(pool),
      responseWindowBytes: config.responseWindowBytes,
      maxResponseWindowBytes: config.maxResponseWindowBytes,
      retryAfterSeconds: config.retryAfterSeconds,
      maxBodyBytes: maxBodyBytes ?? config.maxBodyBytes ?? Infinity,
      minRequestBytesPerSecond: minRequestBytesPerSecond ?? this.#config.limits.requestRate.bytesPerSecond,
      ...(computeTimeoutMs !== undefined && { computeTimeoutMs }),
      websocket: route.websocket,
      connect: route.connect,
      outcomes: this.outcomes.get(name) as OutcomeCounters,
      ...this.#tellsEnds(label, name),
      lane: this.#lanes.laneOf(route, pool, config.queue.maxExchanges),
      ...(route.affinity !== undefined && { affinity: parseAffinity(route.affinity) }),
    };
  }

  /** For requests that no route matches. */
  nowhere(): Destination {
    return { ...NOWHERE, outcomes: this.unrouted, ...this.#tellsEnds('', '') };
  }

  #tellsEnds(route: string, pool: string): Pick<Destination, 'onEnded'> {
    const write = this.#accessLog?.of({ route, pool });
    const count = this.durations?.of({ route, pool });
    if (write === undefined || count === undefined) {
      const onEnded = write ?? count;
      return onEnded === undefined ? {} : { onEnded };
    }
    return {
      onEnded: (exchange, outcome) => {
        count(exchange, outcome);
        write(exchange, outcome);
      },
    };
  }

  #takerOf(pool: Pool): Pick<Destination, 'dispatcher' | 'explain'> {
    const { explainStale } = this.#options;
    if (explainStale === null) return { dispatcher: pool.dispatcher };
    const page = new StalePage(pool.dispatcher, () => explainStale(pool.name));
    return { dispatcher: page, explain: (status, reason) => page.explain(status, reason) };
  }
}

function labelOf({ host, path }: RouteConfig): string {
  return `${host === '*' ? '' : host}${path}`;
}
