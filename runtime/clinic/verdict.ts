/**
 * Explains in words what limited a load, from two readings of the server's own counters, before and after it.
 *
 * clinic's doctor sees one thread. For a server whose reactor waits for other threads it diagnoses an I/O
 * issue. That is true of the reactor and says nothing about the server.
 */

export const Cause = {
  Nothing: 'nothing to judge',
  Reactor: 'reactor bound',
  Collection: 'garbage collection',
  Threads: 'threads bound',
  Blocked: 'blocked event loop',
  Credit: 'credit stalls',
  Queue: 'queue wait',
  Waiting: 'waiting on I/O',
  Idle: 'room to spare',
} as const;
export type Cause = (typeof Cause)[keyof typeof Cause];

export interface Verdict {
  readonly pool: string;
  readonly cause: Cause;
  /** A sentence with the figures. */
  readonly because: string;
  /** Where to look first. */
  readonly look: string;
}

/** The part of the control socket's status that is analysed. */
export interface Reading {
  readonly reactor: LoopReading;
  readonly pools: readonly PoolReading[];
}

interface LoopReading {
  readonly activeMs: number;
  readonly idleMs: number;
}

interface PoolReading {
  readonly name: string;
  readonly threads: readonly {
    readonly name: string;
    readonly loop: LoopReading;
    readonly collectingMs: number;
  }[];
  readonly total: {
    readonly ended: number;
    readonly creditStalledMs: number;
    readonly queueWait: WaitReading;
    readonly claimWait: WaitReading;
    readonly service: WaitReading;
  };
}

interface WaitReading {
  readonly count: number;
  readonly sumMs: number;
  readonly buckets?: readonly (readonly [mostMs: number, count: number])[];
}

/** An event loop that is busy for this share of the time has no capacity left. */
const BUSY = 0.8;
const REACTOR_BUSY = 0.85;
/** Share of the time that threads are busy. */
const MUCH_COLLECTION = 0.25;
/** Share of the time that exchanges are open in a thread. */
const MUCH_STALLING = 0.3;
/** If less than this share of the time that exchanges are open is computing, they wait. */
const LITTLE_COMPUTING = 0.5;
/** How long a turn of an application may take before the exchanges behind it noticeably wait. */
const LONG_TURN_MS = 50;
const LONG_SERVICE_MS = 2;

/**
 * @param longestTurnsMs the longest time that threads of each pool were seen to compute without a break
 * @param only this pool; default: every pool
 */
export function judge(
  before: Reading,
  after: Reading,
  longestTurnsMs: ReadonlyMap<string, number>,
  only?: string,
): Verdict[] {
  const reactor = shareOf(difference(after.reactor, before.reactor));
  return after.pools
    .filter(({ name }) => only === undefined || name === only)
    .map((pool) => {
      const earlier = before.pools.find(({ name }) => name === pool.name);
      return judgePool(measure(earlier, pool), reactor, longestTurnsMs.get(pool.name) ?? 0);
    });
}

interface Measured {
  readonly name: string;
  readonly ended: number;
  /** Share of the time that the threads' loops are busy, and the milliseconds of all of them. */
  readonly busy: number;
  readonly activeMs: number;
  readonly collectingMs: number;
  readonly creditStalledMs: number;
  readonly queueWait: Wait;
  readonly claimWait: Wait;
  readonly service: Wait;
}

interface Wait {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly sumMs: number;
}

function judgePool(pool: Measured, reactor: number, longestTurnMs: number): Verdict {
  const { busy, service, queueWait, claimWait } = pool;
  const waited = `of ${pool.ended} exchanges, 99 % were queued for ${ms(queueWait.p99Ms)} or less and then took ${ms(service.p99Ms)} or less`;
  const say = (cause: Cause, because: string, look: string): Verdict => ({
    pool: pool.name,
    cause,
    because,
    look,
  });
  if (pool.ended === 0) {
    return say(
      Cause.Nothing,
      'no exchange ended during the measurement',
      'run a load that lasts some seconds',
    );
  }
  if (reactor >= REACTOR_BUSY && reactor > busy) {
    return say(
      Cause.Reactor,
      `the thread that owns the sockets is busy ${percent(reactor)} of the time, the pool's threads ${percent(busy)}`,
      'the reactor in the flame page: TLS, small messages, or logging each request',
    );
  }
  const collection = pool.activeMs > 0 ? pool.collectingMs / pool.activeMs : 0;
  if (collection >= MUCH_COLLECTION) {
    return say(
      Cause.Collection,
      `${percent(collection)} of what the threads do is garbage collection`,
      'sluice heapprofiler: shows what allocates most and what is kept',
    );
  }
  const computing = service.sumMs > 0 ? pool.activeMs / service.sumMs : 1;
  // An exchange that computes from its beginning to its end waits for nothing in its thread.
  const isBlocked = longestTurnMs >= LONG_TURN_MS && computing < LITTLE_COMPUTING;
  if (isBlocked || (busy < BUSY && claimWait.p99Ms >= LONG_TURN_MS)) {
    return say(
      Cause.Blocked,
      `a thread was seen to compute for ${ms(longestTurnMs)} without a break, while its other exchanges wait: exchanges are open for ${ms(service.meanMs)} on average, and threads compute in ${percent(computing)} of that time`,
      "sluice doctor: the event loop delay in a thread's page; sluice flame: what computes there",
    );
  }
  if (busy >= BUSY) {
    return say(
      Cause.Threads,
      `the threads compute ${percent(busy)} of the time; ${waited}`,
      'sluice flame: the widest function above a thread of the pool; then more threads, where cores are idle',
    );
  }
  const stalled = service.sumMs > 0 ? pool.creditStalledMs / service.sumMs : 0;
  if (stalled >= MUCH_STALLING) {
    return say(
      Cause.Credit,
      `exchanges spend ${percent(stalled)} of their time waiting for a client that reads too slowly`,
      'the clients and the network; responseWindowBytes, if they are far away and fast',
    );
  }
  if (queueWait.meanMs > service.meanMs && queueWait.p99Ms >= LONG_SERVICE_MS) {
    return say(
      Cause.Queue,
      `the threads compute only ${percent(busy)} of the time, yet exchanges are queued for ${ms(queueWait.meanMs)} on average`,
      'threads.max and exchangesPerThread of the pool: they allow too few open exchanges',
    );
  }
  if (service.meanMs >= LONG_SERVICE_MS && computing < LITTLE_COMPUTING) {
    return say(
      Cause.Waiting,
      `exchanges are open for ${ms(service.meanMs)} on average, and threads compute in ${percent(computing)} of that time`,
      'what the application waits for: a database, another server, a timer',
    );
  }
  return say(
    Cause.Idle,
    `the threads compute ${percent(busy)} of the time; ${waited}`,
    'nothing: the pool could handle more load',
  );
}

function measure(before: PoolReading | undefined, after: PoolReading): Measured {
  const loops = after.threads.map(({ name, loop, collectingMs }) => {
    const earlier = before?.threads.find((thread) => thread.name === name);
    return {
      loop: difference(loop, earlier?.loop),
      collectingMs: collectingMs - (earlier?.collectingMs ?? 0),
    };
  });
  const sum = (value: (of: (typeof loops)[number]) => number) =>
    loops.reduce((total, loop) => total + value(loop), 0);
  const activeMs = sum(({ loop }) => loop.activeMs);
  const earlier = before?.total;
  return {
    name: after.name,
    ended: after.total.ended - (earlier?.ended ?? 0),
    busy: shareOf({ activeMs, idleMs: sum(({ loop }) => loop.idleMs) }),
    activeMs,
    collectingMs: sum(({ collectingMs }) => collectingMs),
    creditStalledMs: after.total.creditStalledMs - (earlier?.creditStalledMs ?? 0),
    queueWait: waitBetween(earlier?.queueWait, after.total.queueWait),
    claimWait: waitBetween(earlier?.claimWait, after.total.claimWait),
    service: waitBetween(earlier?.service, after.total.service),
  };
}

function waitBetween(before: WaitReading | undefined, after: WaitReading): Wait {
  const count = after.count - (before?.count ?? 0);
  const sumMs = after.sumMs - (before?.sumMs ?? 0);
  const earlier = new Map(before?.buckets);
  let left = Math.ceil(count * 0.99);
  let p99Ms = 0;
  for (const [mostMs, counted] of after.buckets ?? []) {
    if (left <= 0) break;
    const inBucket = counted - (earlier.get(mostMs) ?? 0);
    if (inBucket > 0) p99Ms = mostMs;
    left -= inBucket;
  }
  return { meanMs: count > 0 ? sumMs / count : 0, p99Ms, sumMs };
}

function difference(after: LoopReading, before: LoopReading = { activeMs: 0, idleMs: 0 }): LoopReading {
  return { activeMs: after.activeMs - before.activeMs, idleMs: after.idleMs - before.idleMs };
}

function shareOf({ activeMs, idleMs }: LoopReading): number {
  return activeMs + idleMs > 0 ? activeMs / (activeMs + idleMs) : 0;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function ms(value: number): string {
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ms`;
}
