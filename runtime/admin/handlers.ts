/**
 * The handlers of the admin endpoints. They run in the reactor's thread and ask no other thread, so a server answers even while all of its threads
 * compute or hang.
 */
import type { Config } from '../config/config.ts';
import { changedOrigin } from '../config/effective.ts';
import { childPath } from '../config/json-source.ts';
import { logLevels } from '../config/log-schema.ts';
import { maxThreads } from '../config/thread-range.ts';
import { ControlRefusal } from '../control/errors.ts';
import type { ControlExchange, ControlRoutes, PathParameters, RouteHandler } from '../control/routes.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Log } from '../logging/log.ts';
import type { LogTail } from '../logging/log-tail.ts';
import type { Pool } from '../pools/pool.ts';
import type { Thread } from '../pools/thread.ts';
import { answerReload } from '../reload/control-route.ts';
import type { Reloader } from '../reload/reloader.ts';
import type { ServerParts } from '../server/server.ts';
import type { RecentEvents } from '../status/recent-events.ts';
import type { PoolStatus, ServerState, ServerStatus } from '../status/status-types.ts';
import { AdminCode, badRequest, unknownName } from './errors.ts';
import { ExchangeViews } from './exchanges.ts';
import { answerLogs } from './logs.ts';
import { openApiDocument } from './openapi.ts';
import { BYDEFAULT_EXCHANGES, MOST_EXCHANGES, type Operation, operations } from './operations.ts';
import { conflict, Recycler } from './recycler.ts';

export interface AdministeredServer {
  readonly config: Config;
  readonly state: ServerState;
  readonly parts: ServerParts;
  readonly events: RecentEvents;
  status(): ServerStatus;
  exchanges(): Iterable<Exchange>;
  adjust(config: Config): void;
}

export interface AdminParts {
  readonly server: AdministeredServer;
  readonly reloader: Reloader;
  readonly log: Log;
  /** Null for an embedded server, which its process ends. */
  readonly stop: (() => void) | null;
  /** The newest log lines; null for an embedded server, whose process has them. */
  readonly tail: LogTail | null;
}

/** On the control socket only: links that let a browser into the dashboard. */
export function addLinks(routes: ControlRoutes, management: { makeLink(): string | null }): void {
  routes.add('POST', '/dashboard-links', (exchange) => {
    const url = management.makeLink();
    if (url === null) {
      const message =
        'expected a server with an admin listener, it has none: add "admin": {} to its configuration and start it again';
      throw new ControlRefusal(404, AdminCode.NoListener, message);
    }
    exchange.answer(201, { url });
  });
}

/** One for each server, because both its doors share what is being recycled and the numbers of exchanges. */
export class AdminHandlers {
  readonly #parts: AdminParts;
  readonly #server: AdministeredServer;
  readonly #views = new ExchangeViews();
  readonly #recycler: Recycler;
  readonly #handlers: Readonly<Record<string, RouteHandler>>;

  constructor(parts: AdminParts) {
    const { server, stop, tail } = parts;
    this.#parts = parts;
    this.#server = server;
    this.#recycler = new Recycler(() => server.state === 'running');
    this.#handlers = {
      'GET /status': (exchange) => exchange.answer(200, server.status()),
      'GET /config': (exchange) => this.#config(exchange),
      'GET /pools': (exchange) => exchange.answer(200, { pools: server.status().pools }),
      'GET /pools/{pool}': (exchange, names) => exchange.answer(200, this.#poolStatus(names)),
      'POST /pools/{pool}/resize': (exchange, names) => this.#resize(exchange, names),
      'POST /pools/{pool}/recycle': (exchange, names) => this.#recyclePool(exchange, names),
      'GET /threads': (exchange) => exchange.answer(200, { threads: this.#threadStatuses() }),
      'GET /threads/{thread}': (exchange, names) => this.#thread(exchange, names),
      'POST /threads/{thread}/recycle': (exchange, names) => this.#recycleThread(exchange, names),
      'GET /exchanges': (exchange) => this.#exchanges(exchange),
      'GET /actors': (exchange) => {
        const { actors, directChannels, topics } = server.status();
        exchange.answer(200, { actors, directChannels, topics });
      },
      'GET /events': (exchange) => exchange.answer(200, { events: server.events.all }),
      'POST /reload': (exchange) => answerReload(exchange, parts.reloader),
      ...(stop && { 'POST /drain': (exchange) => this.#drain(exchange, stop) }),
      ...(tail && { 'GET /logs': (exchange) => answerLogs(exchange, tail) }),
      'GET /log-level': (exchange) => exchange.answer(200, { level: server.config.log.level }),
      'PUT /log-level': (exchange) => this.#setLogLevel(exchange),
    };
  }

  /**
   * Adds every endpoint, except for an embedded server those that concern the process. The OpenAPI document also describes endpoints that others
   * add to the routes, if the table of operations has them.
   * @param withToken whether clients of these routes need a token
   */
  addTo(routes: ControlRoutes, { withToken }: { readonly withToken: boolean }): void {
    for (const [key, handler] of Object.entries(this.#handlers)) {
      const [method = '', path = ''] = key.split(' ');
      routes.add(method, path, handler);
    }
    routes.add('GET', '/openapi.json', (exchange) =>
      exchange.answer(200, openApiDocument(operationsOf(routes), withToken)),
    );
  }

  #config(exchange: ControlExchange): void {
    const { file, origin } = this.#server.config;
    exchange.answer(200, { file, values: origin.values() });
  }

  // ---- names

  #pool({ pool: name = '' }: PathParameters): Pool {
    const { pools } = this.#server.parts;
    const pool = pools.find((candidate) => candidate.name === name);
    if (pool === undefined) {
      const known = new Set(pools.map((candidate) => candidate.name));
      throw unknownName('pool', name, [...known]);
    }
    return pool;
  }

  #poolStatus(names: PathParameters): PoolStatus {
    const { name } = this.#pool(names);
    return this.#server.status().pools.find((pool) => pool.name === name) as PoolStatus;
  }

  #threadStatuses() {
    return this.#server.status().pools.flatMap(({ threads }) => threads);
  }

  #findThread(name: string): { readonly pool: Pool; readonly thread: Thread } {
    const { pools } = this.#server.parts;
    const all = pools.flatMap((pool) => [...pool.threads].map((thread) => ({ pool, thread })));
    const found = all.find(({ thread }) => thread.name === name);
    if (found === undefined)
      throw unknownName(
        'thread',
        name,
        all.map(({ thread }) => thread.name),
      );
    return found;
  }

  #thread(exchange: ControlExchange, { thread: name = '' }: PathParameters): void {
    this.#findThread(name);
    exchange.answer(
      200,
      this.#threadStatuses().find((thread) => thread.name === name),
    );
  }

  // ---- what is done

  #requireRunning(): void {
    const { state } = this.#server;
    if (state === 'running') return;
    const message = `expected a server that runs, got one that is ${state}`;
    throw new ControlRefusal(503, AdminCode.NotRunning, message);
  }

  async #resize(exchange: ControlExchange, names: PathParameters): Promise<void> {
    const { name } = this.#pool(names);
    const range = rangeOf(await exchange.json());
    this.#requireRunning();
    const { config } = this.#server;
    const own = config.pools[name];
    if (own === undefined) throw conflict(`pool ${name} is no part of the configuration any more: it ends`);
    const where = childPath(childPath('$.pools', name), 'threads');
    this.#parts.log.info({ pool: name, from: own.threads, to: range }, 'pool resized on request');
    this.#server.adjust({
      ...config,
      pools: { ...config.pools, [name]: { ...own, threads: range } },
      origin: changedOrigin(config.origin, [
        { where: `${where}.min`, value: range.min, source: 'admin' },
        { where: `${where}.max`, value: range.max, source: 'admin' },
      ]),
    });
    exchange.answer(200, { pool: name, threads: range });
  }

  async #recyclePool(exchange: ControlExchange, names: PathParameters): Promise<void> {
    const pool = this.#pool(names);
    this.#requireRunning();
    const threads = [...pool.threads].filter(({ state }) => state === 'ready');
    exchange.answer(200, { pool: pool.name, threads: await this.#recycler.recycle(pool, threads) });
  }

  async #recycleThread(exchange: ControlExchange, { thread: name = '' }: PathParameters): Promise<void> {
    const { pool, thread } = this.#findThread(name);
    this.#requireRunning();
    if (thread.state !== 'ready')
      throw conflict(`thread ${name}: expected one that takes exchanges, it is ${thread.state}`);
    exchange.answer(200, { pool: pool.name, threads: await this.#recycler.recycle(pool, [thread]) });
  }

  #drain(exchange: ControlExchange, stop: () => void): void {
    const { pools } = this.#server.status();
    const { drainDelayMs, drainTimeoutMs } = this.#server.config;
    const open = pools.reduce((sum, { exchanges }) => sum + exchanges.open, 0);
    stop();
    exchange.answer(202, { pid: process.pid, open, drainDelayMs, drainTimeoutMs });
  }

  async #setLogLevel(exchange: ControlExchange): Promise<void> {
    const body = await exchange.json();
    const wanted: unknown =
      typeof body === 'object' && body !== null && 'level' in body ? body.level : undefined;
    const level = logLevels.find((candidate) => candidate === wanted);
    if (level === undefined) throw badRequest('level', `one of ${logLevels.join(', ')}`, wanted);
    this.#requireRunning();
    const { config } = this.#server;
    this.#server.adjust({
      ...config,
      log: { ...config.log, level },
      origin: changedOrigin(config.origin, [{ where: '$.log.level', value: level, source: 'admin' }]),
    });
    exchange.answer(200, { level });
  }

  // ---- exchanges

  #exchanges(exchange: ControlExchange): void {
    const { query } = exchange;
    const pool = query.get('pool') ?? undefined;
    const thread = query.get('thread') ?? undefined;
    if (pool !== undefined) this.#pool({ pool });
    if (thread !== undefined) this.#findThread(thread);
    const olderThanMs = wholeOf(query, 'olderThanMs', 0, Number.MAX_SAFE_INTEGER, 0);
    const limit = wholeOf(query, 'limit', 1, MOST_EXCHANGES, BYDEFAULT_EXCHANGES);
    const { pools, actors, reactor } = this.#server.parts;
    const source = { exchanges: this.#server.exchanges(), pools, actors, nowMs: reactor.nowMs };
    exchange.answer(200, this.#views.view(source, { pool, thread, olderThanMs, limit }));
  }
}

function operationsOf(routes: ControlRoutes): readonly Operation[] {
  const present = new Set([...routes.entries()].map(([method, path]) => `${method} ${path}`));
  return operations.filter(({ method, path }) => present.has(`${method} ${path}`));
}

function wholeOf(query: URLSearchParams, name: string, from: number, to: number, byDefault: number): number {
  const text = query.get(name);
  if (text === null) return byDefault;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  throw badRequest(name, `a whole number from ${from} to ${to}`, text);
}

function rangeOf(body: unknown): { readonly min: number; readonly max: number } {
  const { min, max, ...more } = (typeof body === 'object' && body !== null ? body : {}) as Readonly<
    Record<string, unknown>
  >;
  const isCount = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxThreads;
  if (isCount(min) && isCount(max) && min <= max && Object.keys(more).length === 0) return { min, max };
  const expected = `{ "min": …, "max": … }, whole numbers from 1 to ${maxThreads}, min no larger than max`;
  throw badRequest('body', expected, body);
}
