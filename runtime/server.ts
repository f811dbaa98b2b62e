/**
 * Puts the parts together and runs them: pools first, listeners when the applications are loaded, then until a signal
 * says to stop. `serve` is the whole life of the process and answers its exit code.
 */
import type { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { ExitCode } from './cli/exit-code.ts';
import type { Config, PoolConfig } from './config/config.ts';
import type { Connection } from './connections/connection.ts';
import type { Front } from './connections/front.ts';
import { Http1Front } from './connections/http1.ts';
import { Http2Connection } from './connections/http2.ts';
import type { Destination } from './exchange.ts';
import { http2Options } from './http2/options.ts';
import { OutputBuffers } from './http2/output.ts';
import { Listener } from './listener.ts';
import type { Log } from './log.ts';
import { ApplicationLoadError, Pool, type PoolObserver } from './pools/pool.ts';
import { Reactor } from './reactor.ts';
import { Router } from './router.ts';

/** Deadlines of connections are kept to about this. */
const TICK_MS = 1_000;

/** Runs the server until it is told to stop. */
export async function serve(config: Config, log: Log): Promise<number> {
  const server = new Server(config, log);
  try {
    await server.start();
  } catch (error) {
    await server.destroy();
    if (error instanceof ApplicationLoadError) {
      log.fatal({ code: error.code }, error.message);
      return ExitCode.ApplicationFailed;
    }
    log.fatal({ err: error }, 'the server could not start');
    return ExitCode.Failed;
  }
  await stopSignal(log);
  await server.drain();
  return ExitCode.Ok;
}

/** Resolves on the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(log: Log): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let told = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (told) {
      log.warn({ signal }, 'second signal: ending at once');
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
    told = true;
    log.info({ signal }, 'draining: no new exchanges, open ones finish; a second signal ends at once');
    resolve();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return promise;
}

export class Server {
  readonly #config: Config;
  readonly #log: Log;
  readonly #reactor: Reactor;
  readonly #pools = new Map<string, Pool>();
  readonly #listeners: Listener[] = [];
  readonly #connections = new Set<Connection>();
  readonly #http1: Http1Front;
  readonly #front: Front;
  #timer: NodeJS.Timeout | null = null;
  #state: 'starting' | 'running' | 'draining' | 'ended' = 'starting';
  #whenEmpty: (() => void) | null = null;
  #dateText = '';
  #dateSecond = -1;

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
    const recallAfterMs = Math.min(...Object.values(config.pools).map((pool) => pool.recallAfterMs));
    this.#reactor = new Reactor(recallAfterMs, () => this.#maintain());
    for (const pool of Object.values(config.pools)) this.#pools.set(pool.name, this.#createPool(pool));
    this.#front = {
      reactor: this.#reactor,
      router: new Router(config.routes.map((route) => ({ ...route, target: this.#destination(route.pool) }))),
      http2: http2Options(config.http2),
      buffers: new OutputBuffers(),
      headerTimeoutMs: config.limits.headerTimeoutMs,
      idleTimeoutMs: config.limits.idleTimeoutMs,
      date: () => this.#date(),
      forget: (connection) => this.#forget(connection),
      onHttp1Idle: () => this.#checkEmpty(),
    };
    this.#http1 = new Http1Front(this.#front, {
      ...config.http1,
      headerTimeoutMs: config.limits.headerTimeoutMs,
      requestWindowBytes: config.http2.streamWindowBytes,
    });
  }

  #createPool(pool: PoolConfig): Pool {
    const log = this.#log;
    const observer: PoolObserver = {
      onThreadStarted: ({ name }, thread) => log.debug({ pool: name, thread }, 'thread started'),
      onThreadDied: ({ name }, thread, cause) =>
        log.error({ pool: name, thread, err: cause }, 'thread died: it is replaced'),
      onStopped: ({ name }, cause) =>
        log.error(
          { pool: name, err: cause, restart: pool.restart },
          'pool stopped: more threads died than its restart limit allows; it answers 503 from now on',
        ),
      onApplicationError: ({ name }, error, method, path, suppressed) =>
        log.error({ pool: name, err: error, method, path, suppressed }, 'application failed on an exchange'),
    };
    return new Pool(
      {
        name: pool.name,
        minThreads: pool.threads.min,
        maxThreads: pool.threads.max,
        idleTimeoutMs: pool.idleTimeoutMs,
        slotsPerThread: pool.exchangesPerThread,
        ringBytes: pool.ringBytes,
        maxQueuedJobs: pool.queue.maxExchanges,
        maxWaitMs: pool.queue.maxWaitMs,
        recallAfterMs: pool.recallAfterMs,
        restart: pool.restart,
        startTimeoutMs: pool.startTimeoutMs,
        resourceLimits: pool.resourceLimits,
        niceIncrement: pool.niceIncrement,
        host: {
          application: pathToFileURL(pool.application).href,
          pool: pool.name,
          requestWindowBytes: pool.requestWindowBytes,
          responseWindowBytes: pool.responseWindowBytes,
          writeBacklogBytes: pool.writeBacklogBytes,
        },
      },
      this.#reactor,
      observer,
    );
  }

  #destination(name: string): Destination {
    const pool = this.#pools.get(name) as Pool;
    const { responseWindowBytes, retryAfterSeconds } = this.#config.pools[name] as PoolConfig;
    return { dispatcher: pool.dispatcher, responseWindowBytes, retryAfterSeconds };
  }

  /** @throws ApplicationLoadError, or a system error when an address is taken. */
  async start(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.start()));
    for (const { address } of this.#config.listeners) {
      if (address.kind !== 'tcp') throw new Error(`not yet: ${address.address}`);
      const { host, port } = address;
      const listener = new Listener(
        {
          onHttp2: (socket, first) => this.#onHttp2(socket, first),
          onHttp1: (socket, first) => this.#onHttp1(socket, first),
        },
        {
          host,
          port,
          maxConnections: this.#config.limits.maxConnections,
          headerTimeoutMs: this.#config.limits.headerTimeoutMs,
        },
      );
      const bound = await listener.listen();
      this.#listeners.push(listener);
      const origin = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
      this.#log.info({ address: `${host}:${bound}` }, `listening on ${origin}`);
      for (const { host: name, path } of this.#config.routes) {
        const url =
          origin + (path.length > 2 && path.endsWith('/*') ? path.slice(0, -2) : path.replace('*', ''));
        const asHost = name === '*' ? '' : ` -H 'host: ${name.replace('*', 'www')}'`;
        this.#log.info(`try: curl --http2-prior-knowledge${asHost} ${url}`);
      }
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#state = 'running';
  }

  #onHttp2(socket: Socket, first: Buffer): void {
    const connection = new Http2Connection(socket, this.#front, first);
    this.#connections.add(connection);
    if (this.#state === 'draining') connection.drain();
  }

  #onHttp1(socket: Socket, first: Buffer): void {
    if (this.#config.http1.enabled) this.#http1.accept(socket, first);
    else socket.destroy();
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#checkEmpty();
  }

  #tick(): void {
    const now = this.#reactor.tick();
    for (const connection of this.#connections) connection.tick(now);
    this.#maintain();
    this.#checkEmpty();
    this.#reactor.request();
  }

  #maintain(): void {
    for (const pool of this.#pools.values()) pool.tick();
  }

  #date(): string {
    const second = Math.floor(this.#reactor.nowMs / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#dateText = new Date().toUTCString();
    }
    return this.#dateText;
  }

  /** Stops taking requests, lets what is open finish, and ends; after the deadline the rest is reset. */
  async drain(): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'draining';
    const emptied = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const listener of this.#listeners) listener.close();
    this.#http1.drain();
    for (const connection of this.#connections) connection.drain();
    this.#checkEmpty();
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      deadline = setTimeout(() => resolve('late'), this.#config.drainTimeoutMs);
    });
    if ((await Promise.race([emptied, late])) === 'late') {
      this.#log.warn(
        { connections: this.#connections.size, drainTimeoutMs: this.#config.drainTimeoutMs },
        'drain deadline reached: open exchanges are reset',
      );
    }
    clearTimeout(deadline);
    await this.destroy();
    this.#log.info('stopped');
  }

  #checkEmpty(): void {
    if (this.#connections.size === 0 && this.#http1.openExchanges === 0) this.#endDrain();
  }

  #endDrain(): void {
    this.#whenEmpty?.();
    this.#whenEmpty = null;
  }

  /** Ends everything at once. Idempotent. */
  async destroy(): Promise<void> {
    this.#state = 'ended';
    // A drain that is under way has nothing more to wait for, nor has its deadline.
    this.#endDrain();
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.destroy();
    this.#http1.destroy();
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }
}
