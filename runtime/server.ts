/** Puts the parts together and runs them: pools first, listeners when the applications are loaded, until it is drained or destroyed. */
import { flushCompileCache } from 'node:module';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { AbuseLog } from './abuse-log.ts';
import type { ActorDirectory } from './actors/directory.ts';
import { createDirectory, drainPools } from './actors/from-config.ts';
import type { Config, PoolConfig } from './config/config.ts';
import { ConfigError } from './config/errors.ts';
import { warningsOf } from './config/warnings.ts';
import type { Connection } from './connections/connection.ts';
import type { Front } from './connections/front.ts';
import type { UpgradedRequest } from './connections/h2c-upgrade.ts';
import { Http1Connection } from './connections/http1.ts';
import { Http2Connection } from './connections/http2.ts';
import { LingeringSockets, type LingerOptions } from './connections/lingering.ts';
import { Deadline, type DeadlineCounters } from './deadlines/counters.ts';
import { Deadlines } from './deadlines/deadlines.ts';
import { Destinations } from './destinations.ts';
import { HandshakeLog } from './handshake-log.ts';
import { type Readiness, readinessOf } from './health/readiness.ts';
import { ConnectionLimits } from './limits.ts';
import type { Listener, ListenerHandler, Refusal } from './listeners/listener.ts';
import { resolveHosts } from './listeners/names.ts';
import { openListeners } from './listeners/open.ts';
import type { Peer } from './listeners/peer.ts';
import type { Log } from './log.ts';
import { MemoryGuard } from './memory-guard.ts';
import { poolLog } from './pool-log.ts';
import { poolOptions } from './pool-settings.ts';
import { ApplicationLoadError } from './pools/application-load-error.ts';
import { Pool } from './pools/pool.ts';
import type { PoolOptions } from './pools/pool-options.ts';
import type { Prints } from './pools/prints.ts';
import type { Thread } from './pools/thread.ts';
import { Reactor } from './reactor.ts';
import { RefusalLog } from './refusal-log.ts';
import { ReloadStoppedError } from './reload/errors.ts';
import type { ReloadReport } from './reload/report.ts';
import { retirePool } from './reload/retire-pool.ts';
import { type ReloadTarget, ReloadTransaction } from './reload/transaction.ts';
import { type FrontOwner, type Fronts, makeFronts, updateFronts } from './server-front.ts';
import { LoopMeter, statusOf } from './status.ts';
import type { ServerState, ServerStatus, StaleStatus } from './status-types.ts';
import { flagsWith, threadFlags } from './thread-flags.ts';
import type { Certificates } from './tls/certificates.ts';
import { Handshakes } from './tls/handshakes.ts';
import { NoCertificatesError } from './tls/no-certificates-error.ts';
import type { Development } from './watch/development.ts';

/** Deadlines of connections are kept to about this. */
const TICK_MS = 1_000;
/** For the resets of a drain whose deadline is over to leave. Who does not read them by then hears no more. */
const LAST_WORDS_MS = 500;

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
  /** Hears of each pool that a reload makes, before its threads start. */
  onPoolCreated: ((pool: Pool) => void) | null = null;
  /** Null: there are none. */
  readonly #actors: ActorDirectory | null;
  /** No route leads to them any more: they finish what they have. */
  readonly #retiring = new Set<Pool>();
  readonly #destinations: Destinations;
  readonly #listeners: Listener[] = [];
  /** Null: every listener is cleartext. */
  #certificates: Certificates | null = null;
  readonly #connections = new Set<Connection>();
  readonly #deadlines: Deadlines;
  readonly #memoryGuard: MemoryGuard;
  readonly #abuse: AbuseLog;
  readonly #refusals: RefusalLog;
  readonly #handshakes: Handshakes;
  readonly #handshakeLog: HandshakeLog;
  readonly #limits: ConnectionLimits;
  readonly #lingering: LingeringSockets;
  readonly #fronts: Fronts;
  readonly #frontOwner: FrontOwner;
  #reload: ReloadTransaction | null = null;
  /** Pools that go on with what they had loaded, and why. */
  readonly #stale = new Map<string, StaleStatus>();
  readonly #startedAt = new Date();
  readonly #startedMs = performance.now();
  readonly #reactorMeter = new LoopMeter();
  readonly #meters = new WeakMap<Thread, LoopMeter>();
  #timer: NodeJS.Timeout | null = null;
  #state: ServerState = 'starting';
  #whenEmpty: (() => void) | null = null;
  /** Ends the wait before a drain. */
  #endDelay: (() => void) | null = null;
  readonly #gaveUp = Promise.withResolvers<void>();
  readonly #prints: Prints | undefined;
  readonly #development: Development | null;
  readonly #threadFlags = threadFlags();

  /** @param prints takes what applications print; default: Node passes it on, to the process's own streams */
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
    this.#deadlines = new Deadlines(config.limits, this.#reactor.nowMs);
    this.#memoryGuard = new MemoryGuard(config.memory, log);
    this.#abuse = new AbuseLog(log);
    this.#refusals = new RefusalLog(log);
    this.#handshakes = new Handshakes(config.limits.handshakes);
    this.#handshakeLog = new HandshakeLog(log);
    this.#limits = new ConnectionLimits(config.limits);
    this.#lingering = new LingeringSockets(lingerOptions(config), () => this.#checkEmpty());
    this.#frontOwner = {
      reactor: this.#reactor,
      deadlines: this.#deadlines,
      lingering: this.#lingering,
      nowhere: () => this.#destinations.nowhere(),
      destinationOf: (route) => this.#destinations.of(route),
      readiness: () => this.readiness(),
      onUpgraded: (front, socket, first, peer, request) => this.#onHttp2(front, socket, first, peer, request),
      forget: (connection) => this.#forget(connection),
      onFault: (error) =>
        this.#log.error({ err: error }, 'error of the server itself: the connection that met it is closed'),
      onAbuse: (abuse, peer, counters) => this.#abuse.add(abuse, peer, counters, this.#reactor.nowMs),
    };
    this.#fronts = makeFronts(config, this.#frontOwner);
  }

  #createPool(pool: PoolConfig, config: Config): Pool {
    const know = () => ({ config: this.#config.pools[pool.name], stale: this.#stale.get(pool.name)?.why });
    const observer = poolLog(this.#log, know, () => this.#gaveUp.resolve());
    const created = new Pool(this.#poolOptions(pool, config), this.#reactor, observer);
    this.onPoolCreated?.(created);
    return created;
  }

  #poolOptions(pool: PoolConfig, config: Config): PoolOptions {
    const flags = flagsWith(this.#threadFlags, pool);
    return poolOptions(pool, config, flags, this.#prints, this.#actors, this.#onLoaded);
  }

  get #onLoaded(): ((pool: string, files: readonly string[]) => void) | null {
    const development = this.#development;
    return development && ((pool, files) => development.onLoaded(pool, files));
  }

  /** With those that finish what they have. */
  get #allPools(): readonly Pool[] {
    return [...this.#pools.values(), ...this.#retiring];
  }

  /** What moves exchanges, for a look at what stands still. */
  get parts(): ServerParts {
    return {
      reactor: this.#reactor,
      connections: this.#connections,
      pools: this.#allPools,
      actors: this.#actors,
      listeners: this.#listeners,
    };
  }

  get #http2Connections(): number {
    let count = 0;
    for (const connection of this.#connections) if (connection instanceof Http2Connection) count++;
    return count;
  }

  status(): ServerStatus {
    return statusOf(this, {
      startedAt: this.#startedAt,
      startedMs: this.#startedMs,
      openConnections: this.#limits.openConnections,
      maxConnections: this.#config.limits.maxConnections,
      http1Connections: this.#connections.size - this.#http2Connections,
      http2Connections: this.#http2Connections,
      lingeringConnections: this.#lingering.size,
      deadlines: this.#deadlines.counters,
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

  get state(): ServerState {
    return this.#state;
  }

  /** Whether every pool that requests depend on can answer them. */
  readiness(): Readiness {
    const { pools, health } = this.#config;
    const needed = [...this.#pools.values()].filter(({ name }) => pools[name]?.optional === false);
    return readinessOf(this.#state, needed, this.#reactor.nowMs, health.unresponsiveMs);
  }

  /** Resolves when so many threads of a pool have died that its configuration says to end the server. */
  get gaveUp(): Promise<void> {
    return this.#gaveUp.promise;
  }

  /** As `Pool.startFailed`, of any pool. */
  get startFailed(): Promise<never> {
    return Promise.race([...this.#pools.values()].map((pool) => pool.startFailed));
  }

  /** How often each deadline has ended something. */
  get deadlineCounters(): DeadlineCounters {
    return this.#deadlines.counters;
  }

  /** Connections that the server has ended and their peers have not. */
  get lingeringConnections(): number {
    return this.#lingering.size;
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * Reads certificates and keys anew. Connections stay; new ones get what the files say now. The log says what has been
   * reloaded, or why nothing has; files that are wrong change nothing.
   * @throws ConfigError, NoCertificatesError
   */
  async readCertificates(): Promise<void> {
    if (!this.#hasCertificateFiles || this.#certificates === null) throw new NoCertificatesError();
    const { problems } = await this.#certificates.reload();
    if (problems.length > 0) throw new ConfigError('certificates', problems);
  }

  /**
   * Comes to run another configuration, and what is on the disk now, without losing an exchange. One at a time.
   * @throws ConfigError, ApplicationLoadError, ReloadStoppedError: it runs what it ran before
   */
  async reload(config: Config, only: ReadonlySet<string> | 'all' = 'all'): Promise<ReloadReport> {
    if (this.#state !== 'running') throw new ReloadStoppedError();
    await this.reloadSettled();
    const reload = new ReloadTransaction(this.#reloadTarget(), config, only);
    this.#reload = reload;
    return await reload.run();
  }

  /** Resolves when the threads of before the last reload have ended. */
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
        if (why === null) this.#stale.delete(pool);
        else this.#stale.set(pool, { since: new Date().toISOString(), why: this.#explain(why) });
      },
    };
  }

  #explain(error: Error): string {
    const development = this.#development;
    return development !== null && error instanceof ApplicationLoadError
      ? development.explain(error)
      : error.message;
  }

  /** At one moment: exchanges that are open stay where they are, those that begin from now on go by this. */
  #take(config: Config, pools: ReadonlyMap<string, Pool>): void {
    const before = this.#config;
    this.#config = config;
    this.#pools = pools;
    this.#destinations.take(config, pools);
    updateFronts(this.#fronts, config, this.#frontOwner);
    const { limits } = config;
    this.#deadlines.options = limits;
    this.#limits.options = limits;
    this.#memoryGuard.options = config.memory;
    this.#handshakes.options = limits.handshakes;
    this.#lingering.options = lingerOptions(config);
    this.#reactor.maintainEveryMs = maintainEveryMs(config);
    for (const listener of this.#listeners) {
      const own = config.listeners[listener.index];
      if (own !== undefined)
        listener.reconfigure(own, limits.headerTimeoutMs, limits.handshakes.maxHelloBytes);
    }
    if (config.log.level !== before.log.level) this.#log.level = config.log.level;
  }

  async #retire(pool: Pool): Promise<void> {
    this.#retiring.add(pool);
    await retirePool(pool, this.#config.reload.drainTimeoutMs);
    this.#retiring.delete(pool);
    this.#stale.delete(pool.name);
    if (!this.#pools.has(pool.name)) this.#destinations.forget(pool.name);
  }

  get #hasCertificateFiles(): boolean {
    return this.#config.listeners.some(({ tls }) => tls !== null && tls.certificates.length > 0);
  }

  /** @throws ConfigError for files of TLS, ApplicationLoadError, ListenError. */
  async start(): Promise<void> {
    for (const { code, where, message } of warningsOf(this.#config)) this.#log.warn({ code, where }, message);
    // First, as it is soon known to be wrong.
    await this.#loadCertificates();
    const hosts = await resolveHosts(this.#config.listeners);
    if (!this.#isStarting) return;
    await Promise.all([...this.#pools.values()].map((pool) => pool.start()));
    if (!this.#isStarting) return;
    await openListeners(
      this.#config,
      hosts,
      this.#certificates,
      (index) => this.#listenerHandler(index),
      this.#limits,
      this.#handshakes,
      this.#log,
      this.#listeners,
    );
    if (!this.#isStarting) {
      // Those that were opened since it was told to stop.
      for (const listener of this.#listeners) listener.close();
      return;
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#state = 'running';
    // Not left to the end of the process, which may be a SIGKILL: the next start would compile everything anew.
    setImmediate(flushCompileCache);
  }

  async #loadCertificates(): Promise<void> {
    const { listeners, file, http1 } = this.#config;
    if (listeners.every(({ tls }) => tls === null)) return;
    // Not imported by a server in cleartext: it starts sooner without.
    const { Certificates } = await import('./tls/certificates.ts');
    this.#certificates = new Certificates(http1.enabled ? ['h2', 'http/1.1'] : ['h2'], this.#log);
    await this.#certificates.load(listeners, file);
  }

  /** @param index of the listener in the configuration */
  #listenerHandler(index: number): ListenerHandler {
    return {
      onHttp2: (socket, first, peer) => this.#onHttp2(this.#frontOf(index), socket, first, peer),
      onHttp1: (socket, first, peer) => this.#onHttp1(this.#frontOf(index), socket, first, peer),
      onRefused: (refusal, address, why) => this.#onRefused(refusal, address, why),
    };
  }

  #frontOf(index: number): Front {
    return this.#config.listeners[index]?.health === false ? this.#fronts.plain : this.#fronts.checked;
  }

  #onRefused(refusal: Refusal, address: string, why: string): void {
    const { counters } = this.#deadlines;
    if (refusal === 'tls-handshake-timeout') counters.tlsHandshake++;
    else if (refusal === 'tls-handshake-gave-way') this.#handshakeLog.gaveWay(address);
    else if (refusal === 'first-bytes-timeout') counters.header++;
    // A peer chooses how often this happens.
    this.#log.debug({ refusal, address, why }, 'connection refused');
  }

  #onHttp2(
    front: Front,
    socket: Socket,
    first: Buffer,
    peer: Peer,
    upgraded: UpgradedRequest | null = null,
  ): void {
    const connection = new Http2Connection(socket, front, first, peer, upgraded);
    this.#connections.add(connection);
    if (this.#state === 'draining') connection.drain();
  }

  #onHttp1(front: Front, socket: Socket, first: Buffer, peer: Peer): void {
    if (!this.#config.http1.enabled) {
      socket.destroy();
      return;
    }
    const connection = new Http1Connection(socket, front, peer);
    this.#connections.add(connection);
    connection.begin(first);
    if (this.#state === 'draining') connection.drain();
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#checkEmpty();
  }

  #tick(): void {
    const now = this.#reactor.tick();
    this.#deadlines.advance(now);
    for (const connection of this.#connections) connection.tick(now);
    this.#lingering.tick(now);
    this.#deadlines.judge();
    this.#abuse.tick(now);
    this.#refusals.tick(now, this.#destinations.outcomes);
    this.#handshakeLog.tick(this.#handshakes);
    this.#maintain();
    this.#actors?.tick(now);
    this.#measureLoops();
    this.#memoryGuard.look(this.#pools.values(), now);
    this.#checkEmpty();
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
   * Goes on for `drainDelayMs` without being ready, stops taking requests, lets what is open finish, and ends; after the deadline the
   * rest is reset. Threads that do not end by themselves have been told to when this resolves, and `destroy` waits for them.
   */
  async drain(): Promise<void> {
    if (this.#state === 'running' && this.#config.drainDelayMs > 0) await this.#leave();
    if (this.#isEnded) return;
    this.#state = 'draining';
    const emptied = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const listener of this.#listeners) listener.close();
    this.#handshakes.close();
    this.#certificates?.close();
    for (const connection of this.#connections) connection.drain();
    void this.#reload?.abort();
    for (const pool of this.#allPools) pool.announceDrain();
    this.#checkEmpty();
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      deadline = setTimeout(() => resolve('late'), this.#config.drainTimeoutMs);
    });
    if ((await Promise.race([emptied, late])) === 'late') {
      const { drainTimeoutMs } = this.#config;
      if (this.#deadlines.isEmpty) {
        this.#log.info(
          { connections: this.#lingering.size, drainTimeoutMs },
          'drain deadline reached: connections that their peers have not closed are cut off',
        );
      } else {
        this.#log.warn(
          { connections: this.#connections.size, drainTimeoutMs },
          'drain deadline reached: open exchanges are reset',
        );
      }
      await this.#resetAll(emptied);
    }
    // Threads have nothing left to do; what their applications have to clean up falls under the same deadline.
    const hasActors = (name: string) => this.#config.pools[name]?.module !== undefined;
    const stopped = drainPools(this.#allPools, this.#actors, hasActors);
    if ((await Promise.race([stopped, late])) === 'late') {
      this.#log.warn('drain deadline reached: applications that had not stopped are cut off');
    }
    clearTimeout(deadline);
    // Somebody lost patience meanwhile.
    if (this.#isEnded) return;
    void this.destroy();
    this.#log.info('stopped');
  }

  /** Load balancers hear of the end before their requests meet it. */
  async #leave(): Promise<void> {
    this.#state = 'leaving';
    const { drainDelayMs } = this.#config;
    this.#log.info({ drainDelayMs }, 'not ready any more: requests are taken until the drain begins');
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    const timer = setTimeout(resolve, drainDelayMs);
    await promise;
    clearTimeout(timer);
  }

  /** Asked again behind every wait of the start: the server may have been told to stop meanwhile. */
  get #isStarting(): boolean {
    return this.#state === 'starting';
  }

  get #isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** A client must not take a response for whole that was cut off: it is told, if it listens, before its socket closes. */
  async #resetAll(emptied: Promise<void>): Promise<void> {
    this.#deadlines.endAll(Deadline.Drain);
    for (const connection of this.#connections) connection.finish();
    // HTTP/1 resets its sockets a tick later, when no exchange counts as open any more.
    await new Promise((resolve) => setImmediate(resolve));
    let limit: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, LAST_WORDS_MS);
    });
    await Promise.race([emptied, patience]);
    clearTimeout(limit);
  }

  #checkEmpty(): void {
    if (this.#connections.size > 0 || this.#lingering.size > 0) return;
    this.#endDrain();
  }

  #endDrain(): void {
    this.#whenEmpty?.();
    this.#whenEmpty = null;
  }

  /** Ends everything at once; resolves when the threads have ended, which one that waits in the kernel never does. Idempotent. */
  async destroy(): Promise<void> {
    this.#state = 'ended';
    this.#endDelay?.();
    // A drain that is under way has nothing more to wait for, nor has its deadline.
    this.#endDrain();
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const listener of this.#listeners) listener.close();
    this.#handshakes.close();
    this.#certificates?.close();
    for (const connection of this.#connections) connection.destroy();
    this.#actors?.end();
    await Promise.all([this.#reload?.abort(), ...this.#allPools.map((pool) => pool.destroy())]);
  }
}

/** The most impatient of the pools decides. */
function maintainEveryMs({ pools }: Config): number {
  return Math.min(...Object.values(pools).map((pool) => pool.recallAfterMs));
}

function lingerOptions({ limits: { linger, responseRate } }: Config): LingerOptions {
  return { ...linger, writeTimeoutMs: Math.max(linger.timeoutMs, responseRate.windowMs) };
}
