/** Lists the exchanges in flight. It keeps no record of them: each request looks at the current state. */
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ActorDirectory } from '../actors/directory.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { ExchangeJob } from '../exchange/exchange-job.ts';
import { isOver } from '../exchange/state.ts';
import type { Pool } from '../pools/pool.ts';
import type { Thread } from '../pools/thread.ts';
import { round } from '../status/wait-status.ts';
import type { ExchangesView, ExchangeView } from './exchange-types.ts';
import { waitOf } from './exchange-wait.ts';

/** A walk over more would keep the reactor from its sockets for milliseconds. */
const MOST_LOOKED_AT = 50_000;
const MOST_PATH_CHARS = 256;

/** Where they are. */
export interface ExchangeSource {
  readonly exchanges: Iterable<Exchange>;
  readonly pools: readonly Pool[];
  readonly actors: ActorDirectory | null;
  /** The reactor's clock. */
  readonly nowMs: number;
}

export interface ExchangeFilter {
  /** Undefined: of any. */
  readonly pool?: string | undefined;
  readonly thread?: string | undefined;
  /** Only those of at least this age. */
  readonly olderThanMs: number;
  readonly limit: number;
}

export class ExchangeViews {
  /** Numbers are given when somebody looks, so that an exchange that nobody looks at costs nothing. */
  readonly #ids = new WeakMap<Exchange, number>();
  #nextId = 1;

  view(source: ExchangeSource, filter: ExchangeFilter): ExchangesView {
    const places = placesOf(source.pools);
    const { found, total, isCut } = select(source, places, filter);
    const exchanges = found.map((exchange) => this.#viewOf(exchange, source, places));
    return { total, isCut, exchanges };
  }

  #idOf(exchange: Exchange): number {
    const known = this.#ids.get(exchange);
    if (known !== undefined) return known;
    const id = this.#nextId++;
    this.#ids.set(exchange, id);
    return id;
  }

  #viewOf(exchange: Exchange, { actors, nowMs }: ExchangeSource, places: Places): ExchangeView {
    const pool = poolOf(exchange, places);
    const thread = threadOf(exchange, places);
    const isBegun =
      thread !== null && thread.channel.claims.stateOf(exchange.job.slot) === ClaimState.Claimed;
    const { flow, transport: connection, progress, destination } = exchange;
    const transport = isOver(progress) ? null : (connection.flowOf?.(exchange) ?? null);
    const actorsAsked = thread === null ? [] : actorsAskedBy(thread.name, actors);
    const end = exchange.path.indexOf('?');
    return {
      id: this.#idOf(exchange),
      requestId: exchange.requestId,
      pool: pool?.name ?? null,
      route: destination.route ?? null,
      method: exchange.method.slice(0, MOST_PATH_CHARS),
      path: exchange.path.slice(0, Math.min(end === -1 ? exchange.path.length : end, MOST_PATH_CHARS)),
      protocol: `HTTP/${exchange.version}`,
      peer: exchange.remoteAddress === '' ? '' : `${exchange.remoteAddress} ${exchange.remotePort}`,
      state: stateOf(exchange, thread, isBegun),
      ageMs: ageOf(exchange, nowMs),
      thread: thread?.name ?? null,
      status: exchange.status === 0 ? null : exchange.status,
      request: {
        whole: flow.request?.isWhole ?? !exchange.readsRequest,
        receivedBytes: exchange.receivedBytes,
        waitingBytes: flow.request?.waitingBytes ?? 0,
        unreadBytes: flow.request?.crossedBytes ?? 0,
        creditBytes: flow.request?.creditBytes ?? 0,
        windowBytes: transport?.windowBytes ?? null,
      },
      response: {
        bytes: exchange.responseBytes,
        sentBytes: exchange.sentBytes,
        waitingBytes: transport?.queuedBytes ?? 0,
        windowBytes: flow.response?.windowBytes ?? null,
        peerWindowBytes: transport?.peerWindowBytes ?? null,
        peerConnectionWindowBytes: transport?.peerConnectionWindowBytes ?? null,
        stalledMs: isBegun
          ? round((thread as Thread).vitals.stalledUs(exchange.job.slot, clockMicroseconds()) / 1000)
          : 0,
      },
      waitsFor: waitOf(exchange, { pool, thread, isBegun, flow, transport, actorsAsked }),
    };
  }
}

/** Threads and dispatchers know neither their pool nor each other. */
interface Places {
  readonly byThread: ReadonlyMap<object, Pool>;
  readonly byDispatcher: ReadonlyMap<object, Pool>;
}

function placesOf(pools: readonly Pool[]): Places {
  const byThread = new Map<object, Pool>();
  const byDispatcher = new Map<object, Pool>();
  for (const pool of pools) {
    byDispatcher.set(pool.dispatcher, pool);
    for (const thread of pool.threads) byThread.set(thread, pool);
  }
  return { byThread, byDispatcher };
}

/** Undefined, or null: nobody's. With `--watch` somebody stands between. */
function poolOf({ job: { thread }, destination }: Exchange, { byThread, byDispatcher }: Places): Pool | null {
  const holder = thread === null ? undefined : byThread.get(thread);
  const { dispatcher } = destination;
  return holder ?? (dispatcher === null ? undefined : byDispatcher.get(dispatcher)) ?? null;
}

function threadOf({ job: { thread } }: Exchange, { byThread }: Places): Thread | null {
  return thread !== null && byThread.has(thread) ? (thread as Thread) : null;
}

function ageOf({ admittedAtMs }: Exchange, nowMs: number): number {
  return admittedAtMs === 0 ? 0 : round(Math.max(0, nowMs - admittedAtMs));
}

function stateOf(exchange: Exchange, thread: Thread | null, isBegun: boolean): ExchangeView['state'] {
  const { state } = exchange.job;
  if (state === 'held' || state === 'queued') return state;
  if (thread === null) return 'answering';
  if (!isBegun) return 'given';
  return isOver(exchange.progress) ? 'left' : 'running';
}

/** Those whose streams are open, and those that threads go on with although nobody listens. */
function* inFlight({ exchanges, pools }: ExchangeSource): Generator<Exchange> {
  yield* exchanges;
  for (const pool of pools) {
    for (const { jobs } of pool.threads) {
      for (let job = jobs.head; job !== null; job = job.next) {
        if (job instanceof ExchangeJob && isOver(job.exchange.progress)) yield job.exchange as Exchange;
      }
    }
  }
}

function select(
  source: ExchangeSource,
  places: Places,
  { pool, thread, olderThanMs, limit }: ExchangeFilter,
): { readonly found: Exchange[]; readonly total: number; readonly isCut: boolean } {
  let found: Exchange[] = [];
  let total = 0;
  let looked = 0;
  const keepOldest = (): void => {
    found = found.sort((one, other) => one.admittedAtMs - other.admittedAtMs).slice(0, limit);
  };
  for (const exchange of inFlight(source)) {
    if (++looked > MOST_LOOKED_AT) break;
    if (pool !== undefined && poolOf(exchange, places)?.name !== pool) continue;
    if (thread !== undefined && threadOf(exchange, places)?.name !== thread) continue;
    if (ageOf(exchange, source.nowMs) < olderThanMs) continue;
    total++;
    found.push(exchange);
    // The newest come first, so that what is kept changes often: twice the limit makes that cheap.
    if (found.length >= 2 * limit + 64) keepOldest();
  }
  keepOldest();
  return { found, total, isCut: looked > MOST_LOOKED_AT };
}

/** Actors whose answers a thread waits for. Which of its exchanges waits for which of them only the application knows. */
function actorsAskedBy(thread: string, actors: ActorDirectory | null): string[] {
  const names = new Set<string>();
  for (const link of actors?.links ?? []) {
    if (link.name !== thread) continue;
    for (const call of link.calls.values()) names.add(call.mailbox.actor.settings.name);
  }
  return [...names];
}
