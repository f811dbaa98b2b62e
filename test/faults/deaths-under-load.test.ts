/** Threads that die in whatever way, and when, under load: each request is accounted for (`fault-load.ts`). */
import test from 'ava';
import type { Pool } from '../../runtime/pools/pool.ts';
import { type PoolInput, startServer } from '../server/harness.ts';
import { connectHttp2 } from '../server/http2-client.ts';
import type { LogLines } from '../server/log-lines.ts';
import { type Fate, FaultLoad, PATIENCE_MS, ROUNDS } from './fault-load.ts';

/** For how long a pool is without threads. */
const AWAY_MS = Number(process.env.SLUICE_AWAY_MS ?? 100);

async function start(
  t: Parameters<typeof startServer>[0] & ConstructorParameters<typeof FaultLoad>[0],
  own?: Partial<PoolInput>,
) {
  const load = new FaultLoad(t);
  const { origin, server, log } = await startServer(t, { pools: { pool: load.pool(own) } });
  const [pool] = server.parts.pools as [Pool];
  await load.begin(origin);
  const session = await connectHttp2(t, origin);
  const status = () => server.status().pools[0];
  return { load, log, pool, status, fault: (path: string) => load.send(session, path) };
}

const kill = (pool: Pool, most: number) => {
  for (const thread of [...pool.dispatcher.threads].slice(0, most)) void pool.workerOf(thread)?.terminate();
};

async function untilCount(log: LogLines, message: string, count: number): Promise<void> {
  await log.until(message, () => log.count(message) >= count);
}

for (const [fault, own] of [
  ['/heap', { resourceLimits: { maxOldGenerationSizeMb: 48 } }],
  ['/reject', {}],
  ['/exit', {}],
] as const) {
  test.serial(`threads die by their own exchanges under load: ${fault}`, async (t) => {
    const { load, log, fault: send } = await start(t, own);
    for (let round = 1; round <= ROUNDS; round++) {
      await load.completed(100);
      await send(fault);
      await untilCount(log, 'thread died', round);
      await load.completed(100);
    }
    const { failed, refused } = await load.end();
    t.true(failed >= ROUNDS);
    t.is(refused, 0);
  });
}

for (const fault of ['/loop', '/wait', '/regexp']) {
  test.serial(`threads hang under load: ${fault}`, async (t) => {
    const limits = { computeTimeoutMs: 1_000, computeGraceMs: 100 };
    const { load, log, status, fault: send } = await start(t, limits);
    for (let round = 1; round <= ROUNDS; round++) {
      await load.completed(100);
      const { status: answered } = await send(fault);
      t.true(answered === 504 || answered === 502, `${answered}`);
      await untilCount(log, 'thread died', round);
      await load.completed(100);
    }
    t.true((status()?.hungThreads ?? 0) >= ROUNDS);
    t.is((await load.end()).refused, 0);
  });
}

test.serial('a thread that leaks Buffers under load is recycled, and no request notices', async (t) => {
  const { load, log, status, fault } = await start(t, {
    threads: 1,
    recycle: { maxExternalBytes: 40_000_000 },
  });
  for (let round = 1; round <= ROUNDS; round++) {
    for (let leaks = 0; leaks < 50; leaks++) await fault('/leak');
    await untilCount(log, 'thread recycled', round);
    while ((status()?.recycledThreads ?? 0) < round) await load.completed(20);
  }
  const { failed, refused } = await load.end();
  t.deepEqual([failed, refused], [0, 0]);
  t.is(log.count('thread died'), 0);
});

for (const fate of ['dies in start', 'dies soon'] satisfies Fate[]) {
  test.serial(`replacements die again and again under load: ${fate}`, async (t) => {
    const { load, log, pool } = await start(t);
    for (let round = 1; round <= ROUNDS; round++) {
      await load.completed(100);
      load.fate = fate;
      kill(pool, 1);
      // The one that was killed, and three in its place.
      await untilCount(log, 'thread died', 4 * round);
      load.fate = 'lives';
      await untilCount(log, 'pool recovered', round);
      await load.completed(100);
    }
    const { refused } = await load.end();
    t.is(refused, 0, 'the other thread goes on, or there is one soon');
  });
}

test.serial('a pool loses all its threads for a while under load: 503, and it comes back', async (t) => {
  const { load, log, pool } = await start(t, { queue: { maxWaitMs: 50 }, retryAfterSeconds: 1 });
  t.timeout((PATIENCE_MS + AWAY_MS) * ROUNDS);
  for (let round = 1; round <= ROUNDS; round++) {
    await load.completed(100);
    load.fate = 'dies in start';
    kill(pool, 2);
    const { refused } = load.counts;
    const backMs = performance.now() + AWAY_MS;
    await load.until((counts) => counts.refused >= refused + 100 && performance.now() >= backMs);
    load.fate = 'lives';
    await untilCount(log, 'pool recovered', round);
    await load.completed(100);
  }
  t.true((await load.end()).refused >= 100);
});
