/** A pool of real threads with its own reactor, and what it tells. */
import { setImmediate } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Casualties } from '../../runtime/pools/casualties.ts';
import { Pool, type PoolObserver } from '../../runtime/pools/pool.ts';
import type { PoolOptions } from '../../runtime/pools/pool-options.ts';
import { Reactor } from '../../runtime/server/reactor.ts';
import { DepthLane } from './depth-lane.ts';
import { RecordingJob } from './recording-job.ts';

type News = [what: string, detail: string];

export function poolOptions(application: string): PoolOptions {
  return {
    name: 'p',
    minThreads: 1,
    maxThreads: 1,
    growAfterMs: 0,
    shrinkBelow: 0.6,
    idleTimeoutMs: 60_000,
    slotsPerThread: 16,
    ringBytes: 65_536,
    maxQueuedJobs: 100,
    maxWaitMs: 60_000,
    recallAfterMs: 5,
    restart: { intensity: 3, periodMs: 60_000, delayMs: 1, maxDelayMs: 1, giveUp: false },
    recycle: {
      maxExchanges: 0,
      maxAgeMs: 0,
      maxHeapBytes: 0,
      maxExternalBytes: 0,
      jitterPercent: 0,
      maxAtOncePercent: 25,
    },
    minUptimeMs: 0,
    computeTimeoutMs: 0,
    computeGraceMs: 0,
    retireTimeoutMs: 60_000,
    startTimeoutMs: 30_000,
    resourceLimits: undefined,
    niceIncrement: 0,
    host: {
      application: new URL(`applications/${application}.ts`, import.meta.url).href,
      pool: 'p',
      requestWindowBytes: 65_536,
      creditEveryBytes: 16_384,
      responseWindowBytes: 65_536,
      writeBacklogBytes: 1_000_000,
    },
  };
}

export function startPool(t: ExecutionContext, application: string, own: Partial<PoolOptions> = {}) {
  const news: News[] = [];
  const casualtiesOf: Casualties[] = [];
  const waiting: (() => void)[] = [];
  const tell = (what: string, detail: string) => {
    news.push([what, detail]);
    for (const wake of waiting.splice(0)) wake();
  };
  const observer: PoolObserver = {
    onThreadStarted: (_pool, thread) => tell('started', thread),
    onThreadDied: (_pool, _thread, cause, casualties) => {
      casualtiesOf.push(casualties);
      tell('died', cause.message);
    },
    onThreadOverdue: (_pool, thread) => tell('overdue', thread),
    onThreadBack: (_pool, thread) => tell('back', thread),
    onChildrenEnded: (_pool, _thread, processIds) => tell('children ended', String(processIds.length)),
    onThreadRecycled: (_pool, thread, cause) => tell('recycled', `${thread} ${cause}`),
    onThreadNotRecycled: (_pool, thread) => tell('not recycled', thread),
    onDegraded: (_pool, nextStartInMs) => tell('degraded', String(nextStartInMs)),
    onRecovered: () => tell('recovered', ''),
    onGaveUp: (_pool, cause) => tell('gave up', cause.message),
    onApplicationError: (_pool, error) => tell('failed', error.message),
    onPrintsDropped: (_pool, _thread, stream, writes) => tell(`${stream} dropped`, String(writes)),
    onStopFailed: (_pool, _thread, error) => tell('stop failed', error.message),
  };
  const reactor = new Reactor(5, () => pool.tick());
  const pool: Pool = new Pool({ ...poolOptions(application), ...own }, reactor, observer);
  t.teardown(() => pool.destroy());
  const lane = new DepthLane();
  const submit = (...names: string[]) =>
    names.map((name) => {
      const job = new RecordingJob(name);
      job.lane = lane;
      pool.dispatcher.submit(job);
      reactor.request();
      return job;
    });
  /** Waits until so many news of a kind have come. */
  const heard = async (what: string, count: number) => {
    while (news.filter(([kind]) => kind === what).length < count) {
      await new Promise<void>((wake) => waiting.push(wake));
    }
  };
  /** Waits until every thread sleeps: none looks at its ring before it is woken, so what it is told first it hears first. */
  const asleep = async () => {
    while (pool.dispatcher.threads.some(({ channel }) => !channel.peerSleeps)) await setImmediate();
  };
  return { pool, reactor, news, casualtiesOf, submit, heard, asleep };
}
