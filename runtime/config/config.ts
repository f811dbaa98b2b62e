/** The configuration that the server runs: the file's content with defaults, overrides and paths resolved. Types only. */

import type { ActorConfig } from './actors.ts';
import type { AdminConfig } from './admin.ts';
import type { ConfigOrigin } from './effective.ts';
import type { ListenerConfig } from './listeners.ts';
import type { MonitoringConfig } from './monitoring.ts';
import type { ConfigOutput } from './schema.ts';
import type { ThreadRange } from './thread-range.ts';

export interface Config
  extends Pick<
    ConfigOutput,
    'limits' | 'http2' | 'http1' | 'health' | 'reload' | 'memory' | 'drainTimeoutMs' | 'drainDelayMs'
  > {
  /** Absolute path of the file that it was read from. */
  readonly file: string;
  readonly listeners: readonly ListenerConfig[];
  readonly pools: Readonly<Record<string, PoolConfig>>;
  readonly actors: Readonly<Record<string, ActorConfig>>;
  /** Null: the file has neither topics nor actors, so no thread gets a channel for them. */
  readonly topics: TopicsConfig | null;
  /** The most specific first, so that the first match decides (see `compareRoutes`). */
  readonly routes: readonly RouteConfig[];
  readonly control: ControlConfig;
  /** Null: there is no listener for probes and scrapers. */
  readonly monitoring: MonitoringConfig | null;
  /** Null: requests have no identifiers. */
  readonly requestId: RequestIdConfig | null;
  /** Null: the admin endpoints are only on the control socket. */
  readonly admin: AdminConfig | null;
  /** Null: no spans, and no Server-Timing. */
  readonly tracing: TracingConfig | null;
  readonly profiling: ProfilingConfig;
  readonly log: LogConfig;
  /** Where each value came from. */
  readonly origin: ConfigOrigin;
}

export type TopicsConfig = NonNullable<ConfigOutput['topics']>;

export type RequestIdConfig = NonNullable<ConfigOutput['requestId']>;

export type TracingConfig = NonNullable<ConfigOutput['tracing']>;

export type ProfilingConfig = ConfigOutput['profiling'];

export interface ControlConfig extends Omit<ConfigOutput['control'], 'path'> {
  /** Absolute; null: a place where the commands find it by the configuration file. */
  readonly path: string | null;
}

type PoolOutput = ConfigOutput['pools'][string];

export interface PoolConfig extends Omit<PoolOutput, 'threads' | 'application' | 'module'> {
  readonly name: string;
  /** Absolute path of the application's module; for a pool without an application, of the module with its actors. */
  readonly application: string;
  /** Absolute path of the module with its actors. */
  readonly module?: string;
  /** The module has actors and no application. */
  readonly hasOnlyActors?: true;
  /** For the built-in application of a route with files. */
  readonly applicationOptions?: StaticConfig;
  readonly threads: ThreadRange;
}

type RouteOutput = ConfigOutput['routes'][number];

/** What the built-in application needs to know about a route with files; `StaticOptions` is the same type on its side. */
export interface StaticConfig
  extends Omit<NonNullable<RouteOutput['static']>, 'threads' | 'exchangesPerThread'> {
  /** Absolute. */
  readonly root: string;
  /** The route's pattern. */
  readonly path: string;
  /** JSON path of the section that it comes from. */
  readonly where: string;
}

export interface RouteConfig {
  /** `*`, a lower-case host name, or `*.` and a lower-case suffix. */
  readonly host: string;
  /** An exact path, or a prefix followed by a slash and a star. */
  readonly path: string;
  /** The name of the route's pool; a route with files has a pool that was made for it. */
  readonly pool: string;
  readonly static?: RouteOutput['static'];
  /** WebSocket handshakes reach the application. */
  readonly websocket: boolean;
  /** CONNECT reaches the application. */
  readonly connect: boolean;
  /** Undefined: the pool's. */
  readonly maxBodyBytes?: number | undefined;
  /** Undefined: the pool's. */
  readonly computeTimeoutMs?: number | undefined;
  /** Undefined: that of the limits. */
  readonly minRequestBytesPerSecond?: number | undefined;
  /** Undefined: any number. */
  readonly maxConcurrent?: number | undefined;
  /** Undefined: the pool's `queue.maxExchanges`. */
  readonly maxHeld?: number | undefined;
  /** As `parseAffinity` reads it. */
  readonly affinity?: string | undefined;
}

export type LimitsConfig = ConfigOutput['limits'];
export type HealthConfig = ConfigOutput['health'];
export type Http2Config = ConfigOutput['http2'];
export type Http1Config = ConfigOutput['http1'];
export interface LogConfig extends Omit<ConfigOutput['log'], 'file'> {
  /** Absolute; null: standard output. */
  readonly file: string | null;
}
export type LogLevel = LogConfig['level'];
