/** Makes the status of a server: JSON for the control socket and for embedding programs. */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ActorDirectory } from '../actors/directory.ts';
import { actorStatuses, directChannelsStatus, topicsStatus } from '../actors/status.ts';
import type { DeadlineCounters } from '../deadlines/counters.ts';
import type { OutcomeCounters } from '../exchange/outcomes.ts';
import type { Listener } from '../listeners/listener.ts';
import type { Pool } from '../pools/pool.ts';
import type { Tally } from '../pools/tally.ts';
import type { Thread } from '../pools/thread.ts';
import { readVersion } from '../process/version.ts';
import type {
  DeathStatus,
  ExchangeStatus,
  ListenerStatus,
  LoopStatus,
  PoolStatus,
  ServerState,
  ServerStatus,
  StaleStatus,
  TallyStatus,
  ThreadStatus,
} from './status-types.ts';
import { round, waitStatus } from './wait-status.ts';

/** Measures the utilisation of an event loop over about the last second, however often it is read. */
export class LoopMeter {
  #before: EventLoopUtilization | null = null;
  #now: EventLoopUtilization | null = null;

  /** Called once a second. */
  tick(read: () => EventLoopUtilization): void {
    this.#before = this.#now;
    this.#now = read();
  }

  status(now: EventLoopUtilization): LoopStatus {
    const since = this.#before ?? this.#now;
    const activeMs = now.active - (since?.active ?? 0);
    const idleMs = now.idle - (since?.idle ?? 0);
    return {
      activeMs: round(now.active),
      idleMs: round(now.idle),
      utilization: activeMs + idleMs > 0 ? round(activeMs / (activeMs + idleMs)) : 0,
    };
  }
}

/** The server. */
interface Running {
  readonly state: ServerState;
  readonly parts: {
    readonly pools: readonly Pool[];
    readonly listeners: readonly Listener[];
    readonly actors: ActorDirectory | null;
  };
}

/** Data of a status that is not in the server's parts. */
export interface StatusParts {
  readonly startedAt: Date;
  readonly startedMs: number;
  readonly openConnections: number;
  readonly maxConnections: number;
  readonly http1Connections: number;
  readonly http2Connections: number;
  readonly lingeringConnections: number;
  readonly deadlines: DeadlineCounters;
  readonly outcomes: ReadonlyMap<string, OutcomeCounters>;
  readonly unrouted: OutcomeCounters;
  readonly maxQueued: ReadonlyMap<string, number>;
  readonly stale: ReadonlyMap<string, StaleStatus>;
  /** Meters of the reactor's loop and of threads. */
  readonly reactorMeter: LoopMeter;
  readonly meters: WeakMap<Thread, LoopMeter>;
}

export function statusOf({ parts, state }: Running, more: StatusParts): ServerStatus {
  const nowUs = clockMicroseconds();
  return {
    version: readVersion(),
    pid: process.pid,
    state,
    startedAt: more.startedAt.toISOString(),
    uptimeMs: Math.round(performance.now() - more.startedMs),
    reactor: more.reactorMeter.status(performance.eventLoopUtilization()),
    listeners: parts.listeners.flatMap(listenerStatus),
    connections: {
      open: more.openConnections,
      max: more.maxConnections,
      http1: more.http1Connections,
      http2: more.http2Connections,
      lingering: more.lingeringConnections,
    },
    pools: parts.pools.map((pool) => poolStatus(pool, more, nowUs)),
    actors: actorStatuses(parts.actors),
    directChannels: directChannelsStatus(parts.actors),
    topics: topicsStatus(parts.actors),
    unrouted: exchangeStatus(more.unrouted),
    deadlines: { ...more.deadlines },
  };
}

function listenerStatus({ bound, isTls: tls }: Listener): readonly ListenerStatus[] {
  if (bound === null) return [];
  const { host, port, path } = bound;
  if (host === null) return [{ address: `unix:${path}`, tls }];
  return [{ address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, tls }];
}

function poolStatus(pool: Pool, more: StatusParts, nowUs: number): PoolStatus {
  const threads = [...pool.threads];
  return {
    name: pool.name,
    version: pool.renewal.version.number,
    stale: more.stale.get(pool.name) ?? null,
    state: pool.state,
    queued: pool.dispatcher.queuedJobs,
    maxQueued: more.maxQueued.get(pool.name) ?? 0,
    minThreads: pool.minThreads,
    maxThreads: pool.maxThreads,
    exchanges: exchangeStatus(more.outcomes.get(pool.name) as OutcomeCounters),
    threads: threads.map((thread) => threadStatus(thread, pool, more.meters, nowUs)),
    startedThreads: pool.figures.startedThreads,
    recycledThreads: pool.renewal.recycledThreads,
    diedThreads: pool.figures.diedThreads,
    hungThreads: pool.figures.hungThreads,
    unendedThreads: pool.figures.unendedThreads,
    nextStartInMs: pool.figures.nextStartInMs,
    lastDeath: deathStatus(pool),
    recalledExchanges: pool.dispatcher.recalledJobs,
    total: tallyStatus(
      pool.figures.tally,
      threads.map((thread) => thread.openStalls(nowUs)),
      true,
    ),
  };
}

function deathStatus({ figures: { lastDeath } }: Pool): DeathStatus | null {
  if (lastDeath === null) return null;
  const { thread, cause, atMs } = lastDeath;
  return { thread, name: cause.name, message: cause.message, agoMs: round(performance.now() - atMs) };
}

function exchangeStatus(outcomes: OutcomeCounters): ExchangeStatus {
  const { started, ...ended } = outcomes;
  const over = Object.values(ended).reduce((sum, count) => sum + count, 0);
  return { started, open: started - over, ...ended };
}

function threadStatus(
  thread: Thread,
  pool: Pool,
  meters: WeakMap<Thread, LoopMeter>,
  nowUs: number,
): ThreadStatus {
  const { name, state, vitals, channel } = thread;
  const waiting = thread.unbegunJobs;
  const stalls = thread.openStalls(nowUs);
  const worker = pool.workerOf(thread);
  const meter = meters.get(thread) ?? new LoopMeter();
  const rings = channel.occupancy;
  const longest = thread.longestRunningUs(performance.now());
  return {
    name,
    version: pool.renewal.versionOf(thread)?.number ?? 0,
    threadId: vitals.threadId === 0 ? null : vitals.threadId,
    state,
    waiting,
    running: thread.outstanding - waiting,
    longestRunningMs: longest === null ? null : round(longest / 1000),
    creditStalled: stalls.now,
    isAsleep: channel.peerSleeps,
    turnAgeMs: round(vitals.turnAgeUs(nowUs) / 1000),
    requestRing: { usedBytes: rings.outgoingBytes, bytes: rings.outgoingCapacity },
    responseRing: { usedBytes: rings.incomingBytes, bytes: rings.incomingCapacity },
    heapBytes: vitals.heapBytes,
    liveHeapBytes: vitals.liveHeapBytes,
    externalBytes: vitals.externalBytes,
    collections: vitals.collections,
    collectingMs: round(vitals.collectingMs),
    loop: meter.status(worker?.performance.eventLoopUtilization() ?? NOTHING),
    total: tallyStatus(thread.tally, [stalls], false),
  };
}

const NOTHING: EventLoopUtilization = { active: 0, idle: 0, utilization: 0 };

/** Stalls of open exchanges. */
export interface OpenStalls {
  /** How many exchanges wait for credit now. */
  readonly now: number;
  readonly stalls: number;
  readonly stalledUs: number;
}

function tallyStatus(tally: Tally, open: readonly OpenStalls[], hasBuckets: boolean): TallyStatus {
  const { ended, lost, requestBytes, responseBytes } = tally;
  const stalledUs = open.reduce((sum, { stalledUs: us }) => sum + us, tally.creditStalledUs);
  return {
    ended,
    lost,
    requestBytes,
    responseBytes,
    creditStalls: open.reduce((sum, { stalls }) => sum + stalls, tally.creditStalls),
    creditStalledMs: round(stalledUs / 1000),
    queueWait: waitStatus(tally.queueWait, hasBuckets),
    claimWait: waitStatus(tally.claimWait, hasBuckets),
    service: waitStatus(tally.service, hasBuckets),
  };
}
