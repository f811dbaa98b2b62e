/** Assembles and runs a server: pools first, listeners when the applications are loaded, until `drain` or `destroy`. */
import { flushCompileCache } from 'node:module';
import { performance } from 'node:perf_hooks';
import { Redaction } from '../../wire/redaction.ts';
import type { ActorDirectory } from '../actors/directory.ts';
import { createDirectory, drainPools } from '../actors/from-config.ts';
import type { Config, PoolConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { warningsOf } from '../config/warnings.ts';
import type { Connection } from '../connections/connection.ts';
import { DeadlineCounters } from '../deadlines/counters.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { type Readiness, readinessOf } from '../health/readiness.ts';
import type { Listener } from '../listeners/listener.ts';
import { resolveHosts } from '../listeners/names.ts';
import type { Log } from '../logging/log.ts';
import { poolLog } from '../logging/pool-log.ts';
import { RefusalLog } from '../logging/refusal-log.ts';
import { detailsOf, type MonitoringDetails } from '../monitoring/details.ts';
import type { RequestDurations } from '../monitoring/request-durations.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import { Pool } from '../pools/pool.ts';
import type { PoolOptions } from '../pools/pool-options.ts';
import type { Prints } from '../pools/prints.ts';
import type { Thread } from '../pools/thread.ts';
import { ReloadStoppedError } from '../reload/errors.ts';
import type { ReloadReport } from '../reload/report.ts';
import { retirePool } from '../reload/retire-pool.ts';
import { type ReloadTarget, ReloadTransaction } from '../reload/transaction.ts';
import { FrontCounters } from '../status/front-counters.ts';
import { RecentEvents } from '../status/recent-events.ts';
import { LoopMeter, statusOf } from '../status/status.ts';
import type { ServerState, ServerStatus, StaleStatus } from '../status/status-types.ts';
import type { Certificates } from '../tls/certificates.ts';
import { NoCertificatesError } from '../tls/no-certificates-error.ts';
import type { Development } from '../watch/development.ts';
import { Destinations } from './destinations.ts';
import { Drain, type DrainedServer } from './drain.ts';
import type { Frontend, FrontendOwner } from './frontend.ts';
import { MemoryGuard } from './memory-guard.ts';
import { poolOptions } from './pool-settings.ts';
import { Reactor } from './reactor.ts';
import { flagsWith, threadFlags } from './thread-flags.ts';

/** The precision of connections' deadlines. */
const TICK_MS = 1_000;

export interface ServerParts {
  readonly reactor: Reactor;
  readonly connections: Iterable<Connection>;
  readonly pools: readonly Pool[];
  readonly actors: ActorDirectory | null;
  readonly listeners: readonly Listener[];
}

export class Server {
  #config: Config;
  readonly #log: Log;
  readonly #reactor: Reactor;
  #pools: ReadonlyMap<string, Pool>;
  /** Called with each pool that a reload creates, before its threads start. */
  onPoolCreated: ((pool: Pool) => void) | null = null;
  /** Null: there are no actors. */
  readonly #actors: ActorDirectory | null;
  /** Removed pools that still finish their exchanges. */
  readonly #retiring = new Set<Pool>();
  readonly #destinations: Destinations;
  /** Null: its modules are not loaded yet. */
  #frontend: Frontend | null = null;
  /** Null: no listener has TLS. */
  #certificates: Certificates | null = null;
  readonly #memoryGuard: MemoryGuard;
  readonly #refusals: RefusalLog;
  #reload: ReloadTransaction | null = null;
  /** Why a pool keeps the version that it has loaded instead of the one on the disk. */
  readonly #stale = new Map<string, StaleStatus>();
  readonly #startedAt = new Date();
  readonly #startedMs = performance.now();
  readonly #reactorMeter = new LoopMeter();
  readonly #meters = new WeakMap<Thread, LoopMeter>();
  #timer: NodeJS.Timeout | null = null;
  #state: ServerState = 'starting';
  readonly #drain: Drain;
  readonly #gaveUp = Promise.withResolvers<void>();
  readonly #prints: Prints | undefined;
  readonly #development: Development | null;
  readonly #threadFlags = threadFlags();
  readonly #events = new RecentEvents();

  /** @param prints takes the output of applications; default: Node writes it to the process's own streams */
  constructor(config: Config, log: Log, prints?: Prints, development: Development | null = null) {
    this.#config = config;
    this.#log = log;
    this.#prints = prints;
    this.#development = development;
    this.#reactor = new Reactor(maintainEveryMs(config), () => this.#maintain());
    this.#actors = createDirectory(config, log);
    this.#pools = new Map(
      Object.values(config.pools).map((pool) => [pool.name, this.#createPool(pool, config)]),
    );
    this.#destinations = new Destinations(config, this.#pools, {
      log,
      nowMs: () => this.#reactor.nowMs,
      explainStale: development === null ? null : (pool) => this.#stale.get(pool)?.why,
    });
    this.#memoryGuard = new MemoryGuard(config.memory, log);
    this.#refusals = new RefusalLog(log);
    this.#drain = new Drain(this.#drainedServer(), log);
  }

  #createPool(pool: PoolConfig, config: Config): Pool {
    const know = () => ({ config: this.#config.pools[pool.name], stale: this.#stale.get(pool.name)?.why });
    const log = poolLog(this.#log, know, new Redaction(config.log.redact), () => this.#gaveUp.resolve());
    const observer = this.#events.follow(log);
    const created = new Pool(this.#poolOptions(pool, config), this.#reactor, observer);
    this.onPoolCreated?.(created);
    return created;
  }

  #poolOptions(pool: PoolConfig, config: Config): PoolOptions {
    const flags = flagsWith(this.#threadFlags, pool);
    const onLoaded = this.#development?.follow(pool.name) ?? null;
    return poolOptions(pool, config, flags, this.#prints, this.#actors, onLoaded);
  }

  /** Including removed pools that still finish their exchanges. */
  get #allPools(): readonly Pool[] {
    return [...this.#pools.values(), ...this.#retiring];
  }

  /** The parts that move exchanges, for diagnosis of exchanges that do not move. */
  get parts(): ServerParts {
    return {
      reactor: this.#reactor,
      connections: this.#frontend?.connections ?? [],
      pools: this.#allPools,
      actors: this.#actors,
      listeners: this.#frontend?.listeners ?? [],
    };
  }

  status(): ServerStatus {
    return statusOf(this, {
      startedAt: this.#startedAt,
      startedMs: this.#startedMs,
      openConnections: this.#frontend?.openConnections ?? 0,
      maxConnections: this.#config.limits.maxConnections,
      http1Connections: this.#frontend?.http1Connections ?? 0,
      http2Connections: this.#frontend?.http2Connections ?? 0,
      lingeringConnections: this.lingeringConnections,
      deadlines: this.deadlineCounters,
      outcomes: this.#destinations.outcomes,
      unrouted: this.#destinations.unrouted,
      maxQueued: new Map(
        Object.values(this.#config.pools).map(({ name, queue }) => [name, queue.maxExchanges]),
      ),
      stale: this.#stale,
      reactorMeter: this.#reactorMeter,
      meters: this.#meters,
    });
  }

  /** What metrics report beside the status. */
  details(): MonitoringDetails {
    return detailsOf(this.#allPools, this.#frontend?.counters ?? new FrontCounters());
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Open exchanges, the newest first. */
  exchanges(): Iterable<Exchange> {
    return this.#frontend?.exchanges() ?? [];
  }

  /** Recent events of threads and pools. */
  get events(): RecentEvents {
    return this.#events;
  }

  /** Whether every pool that is not optional can answer. */
  readiness(): Readiness {
    const { pools, health } = this.#config;
    const needed = [...this.#pools.values()].filter(({ name }) => pools[name]?.optional === false);
    return readinessOf(this.#state, needed, health.unresponsiveMs);
  }

  /** How long requests took; null: there is no `monitoring`. */
  get durations(): RequestDurations | null {
    return this.#destinations.durations;
  }

  /** Resolves when a pool with `restart.giveUp` has lost too many threads. */
  get gaveUp(): Promise<void> {
    return this.#gaveUp.promise;
  }

  /** See `Pool.startFailed`; for all pools. */
  get startFailed(): Promise<never> {
    return Promise.race([...this.#pools.values()].map((pool) => pool.startFailed));
  }

  /** How often each deadline has ended something. */
  get deadlineCounters(): DeadlineCounters {
    return this.#frontend?.deadlineCounters ?? new DeadlineCounters();
  }

  /** Connections that the server has ended and their peers have not. */
  get lingeringConnections(): number {
    return this.#frontend?.lingeringConnections ?? 0;
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * Reads certificates and keys again. Open connections keep theirs; new ones get the new ones. The log says what has been reloaded, or why
   * nothing has. Invalid files change nothing.
   * @throws ConfigError, NoCertificatesError
   */
  async readCertificates(): Promise<void> {
    if (!this.#hasCertificateFiles || this.#certificates === null) throw new NoCertificatesError();
    const { problems } = await this.#certificates.reload();
    if (problems.length > 0) throw new ConfigError('certificates', problems);
  }

  /**
   * Takes over another configuration and the code on the disk without losing an exchange. One reload runs at a time.
   * @throws ConfigError, ApplicationLoadError, ReloadStoppedError: nothing has changed
   */
  async reload(config: Config, only: ReadonlySet<string> | 'all' = 'all'): Promise<ReloadReport> {
    if (this.#state !== 'running') throw new ReloadStoppedError();
    await this.reloadSettled();
    const reload = new ReloadTransaction(this.#reloadTarget(), config, only);
    this.#reload = reload;
    return await reload.run();
  }

  /** Takes over, at once, a configuration that differs only in numbers of threads or the level of the log. */
  adjust(config: Config): void {
    if (this.#state !== 'running') throw new ReloadStoppedError();
    const before = this.#config;
    this.#take(config, this.#pools);
    for (const pool of this.#pools.values()) {
      const own = config.pools[pool.name] as PoolConfig;
      if (own === before.pools[pool.name]) continue;
      pool.reconfigure(this.#poolOptions(own, config));
      pool.renewal.retireSurplus();
    }
  }

  /** Resolves when the old threads of the last reload have ended. */
  async reloadSettled(): Promise<void> {
    await this.#reload?.settled();
  }

  #reloadTarget(): ReloadTarget {
    const server = this;
    return {
      get config() {
        return server.#config;
      },
      get isRunning() {
        return server.#state === 'running';
      },
      get pools() {
        return server.#pools;
      },
      certificates: this.#certificates,
      optionsOf: (pool, config) => this.#poolOptions(pool, config),
      createPool: (pool, config) => this.#createPool(pool, config),
      take: (config, pools) => this.#take(config, pools),
      retire: (pool) => this.#retire(pool),
      setStale: (pool, why) => {
        if (why === null) {
          this.#stale.delete(pool);
          this.#development?.settled(pool);
        } else this.#stale.set(pool, { since: new Date().toISOString(), why: this.#explain(why) });
      },
    };
  }

  #explain(error: Error): string {
    const development = this.#development;
    return development !== null && error instanceof ApplicationLoadError
      ? development.explain(error)
      : error.message;
  }

  /** Open exchanges stay where they are; new ones use the new configuration. */
  #take(config: Config, pools: ReadonlyMap<string, Pool>): void {
    const before = this.#config;
    this.#config = config;
    this.#pools = pools;
    this.#destinations.take(config, pools);
    this.#frontend?.take(config);
    this.#memoryGuard.options = config.memory;
    this.#reactor.maintainEveryMs = maintainEveryMs(config);
    if (config.log.level !== before.log.level) this.#log.level = config.log.level;
  }

  async #retire(pool: Pool): Promise<void> {
    this.#retiring.add(pool);
    await retirePool(pool, this.#config.reload.drainTimeoutMs);
    this.#retiring.delete(pool);
    this.#stale.delete(pool.name);
    if (this.#pools.has(pool.name)) return;
    this.#destinations.forget(pool.name);
    this.#development?.forget(pool.name);
  }

  get #hasCertificateFiles(): boolean {
    return this.#config.listeners.some(({ tls }) => tls !== null && tls.certificates.length > 0);
  }

  /**
   * @param alongside runs while applications load, before the listeners open
   * @throws ConfigError (TLS files), ApplicationLoadError, ListenError, what `alongside` throws
   */
  async start(alongside: () => Promise<void> = async () => {}): Promise<void> {
    for (const { code, where, message } of warningsOf(this.#config)) this.#log.warn({ code, where }, message);
    // This comes first, because an error in it shows at once.
    await this.#loadCertificates();
    const hosts = await resolveHosts(this.#config.listeners);
    if (!this.#isStarting) return;
    const pools = Promise.all([...this.#pools.values()].map((pool) => pool.start()));
    // The main thread would only wait while applications load.
    const [{ Frontend }] = await Promise.all([import('./frontend.ts'), pools, alongside()]);
    if (!this.#isStarting) return;
    const frontend = new Frontend(this.#config, this.#frontendOwner());
    this.#frontend = frontend;
    await frontend.open(hosts, this.#certificates);
    if (!this.#isStarting) {
      // They were opened after the server was told to stop.
      frontend.close();
      return;
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#state = 'running';
    // The cache is written now and not at exit: after a SIGKILL the next start would compile everything again.
    setImmediate(flushCompileCache);
  }

  async #loadCertificates(): Promise<void> {
    const { listeners, file, http1 } = this.#config;
    if (listeners.every(({ tls }) => tls === null)) return;
    // Imported only if a listener has TLS, because a start without it is faster.
    const { Certificates } = await import('../tls/certificates.ts');
    this.#certificates = new Certificates(http1.enabled ? ['h2', 'http/1.1'] : ['h2'], this.#log);
    await this.#certificates.load(listeners, file);
  }

  #drainedServer(): DrainedServer {
    const server = this;
    return {
      get config() {
        return server.#config;
      },
      get frontend() {
        return server.#frontend;
      },
      get pools() {
        return server.#allPools;
      },
      onDraining: () => {
        this.#certificates?.close();
        void this.#reload?.abort();
      },
      stopApplications: () => {
        const hasActors = (name: string) => this.#config.pools[name]?.module !== undefined;
        return drainPools(this.#allPools, this.#actors, hasActors);
      },
    };
  }

  #frontendOwner(): FrontendOwner {
    const server = this;
    return {
      reactor: this.#reactor,
      log: this.#log,
      get isDraining() {
        return server.#state === 'draining';
      },
      nowhere: () => this.#destinations.nowhere(),
      destinationOf: (route) => this.#destinations.of(route),
      readiness: () => this.readiness(),
      keepAliveTimeoutMs: () => this.#keepAliveTimeoutMs(),
      onEmpty: () => this.#drain.emptied(),
    };
  }

  /** The longest of all applications' timeouts, so that a proxy in front that closes its connections sooner is safe with every pool. */
  #keepAliveTimeoutMs(): number | null {
    const wanted = [...this.#pools.values()].map((pool) => pool.keepAliveTimeoutMs ?? 0);
    return Math.max(0, ...wanted) || null;
  }

  #tick(): void {
    const now = this.#reactor.tick();
    this.#frontend?.tick(now);
    this.#refusals.tick(now, this.#destinations.outcomes);
    this.#maintain();
    this.#actors?.tick(now);
    this.#measureLoops();
    this.#memoryGuard.look(this.#pools.values(), now);
    this.#drain.look();
    this.#reactor.request();
  }

  #measureLoops(): void {
    this.#reactorMeter.tick(() => performance.eventLoopUtilization());
    for (const pool of this.#allPools) {
      for (const thread of pool.threads) {
        const worker = pool.workerOf(thread);
        if (worker === null) continue;
        const meter = this.#meters.get(thread) ?? new LoopMeter();
        this.#meters.set(thread, meter);
        meter.tick(() => worker.performance.eventLoopUtilization());
      }
    }
  }

  #maintain(): void {
    for (const pool of this.#pools.values()) pool.tick();
    for (const pool of this.#retiring) pool.tick();
  }

  /**
   * Serves on for `drainDelayMs` without being ready, then takes no more requests, lets open exchanges finish, and ends. After the deadline
   * it resets the rest. When this resolves, all threads have been told to end; `destroy` waits for them.
   */
  async drain(): Promise<void> {
    if (this.#state === 'running' && this.#config.drainDelayMs > 0) {
      this.#state = 'leaving';
      await this.#drain.delay();
    }
    if (this.#isEnded) return;
    this.#state = 'draining';
    await this.#drain.run();
    // `destroy` was called meanwhile.
    if (this.#isEnded) return;
    void this.destroy();
    this.#log.info('stopped');
  }

  /** Checked after every `await` of the start, because the server may have been told to stop meanwhile. */
  get #isStarting(): boolean {
    return this.#state === 'starting';
  }

  get #isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Ends everything at once. Resolves when the threads have ended; a thread that waits in the kernel never does. Idempotent. */
  async destroy(): Promise<void> {
    this.#state = 'ended';
    this.#drain.end();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#frontend?.destroy();
    this.#certificates?.close();
    this.#actors?.end();
    await Promise.all([this.#reload?.abort(), ...this.#allPools.map((pool) => pool.destroy())]);
  }
}

/** The shortest `recallAfterMs` of all pools. */
function maintainEveryMs({ pools }: Config): number {
  return Math.min(...Object.values(pools).map((pool) => pool.recallAfterMs));
}
