/** Reloads in which something goes wrong, under load: no request notices (`../faults/fault-load.ts`). */
import test, { type ExecutionContext } from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { type Fate, FaultLoad, ROUNDS } from '../faults/fault-load.ts';
import { configInput, type ServerInput, START_PATIENCE_MS, startServer } from '../server/harness.ts';

const configOf = (input: ServerInput) => parseConfig(JSON.stringify(configInput(input)), 'test.config.json');

/** Longer than a small exchange takes on any machine. */
const DRAIN_MS = 60_000;
/** The same, where it is waited for: behind it a thread is ended that does not stop. */
const SHORT_DRAIN_MS = 4_000;

async function start(t: ExecutionContext, fate: Fate = 'lives') {
  const load = new FaultLoad(t, fate);
  const isEndless = fate === 'never stops';
  const pool = { ...load.pool(), startTimeoutMs: START_PATIENCE_MS, ...(isEndless && { threads: 1 }) };
  const input: ServerInput = {
    pools: { pool },
    reload: { drainTimeoutMs: isEndless ? SHORT_DRAIN_MS : DRAIN_MS },
  };
  const { origin, server, log } = await startServer(t, input);
  const reload = async (other: ServerInput = input) => {
    await server.reload(configOf(other));
    await server.reloadSettled();
  };
  await load.begin(origin);
  return { load, pool, input, server, log, reload };
}

async function endWithoutNotice(t: ExecutionContext, load: FaultLoad): Promise<void> {
  const { failed, refused } = await load.end();
  t.deepEqual([failed, refused], [0, 0]);
}

for (const fate of ['hangs on load', 'waits on load'] satisfies Fate[]) {
  test.serial(`a reload to a module that never loads, under load: ${fate}`, async (t) => {
    const { load, pool, input, server, reload } = await start(t);
    for (let round = 1; round <= ROUNDS; round++) {
      await load.completed(100);
      load.fate = fate;
      await t.throwsAsync(reload({ ...input, pools: { pool: { ...pool, startTimeoutMs: 300 } } }), {
        code: 'SLUICE_APPLICATION_LOAD_FAILED',
        message: /did not load within 300 ms/,
      });
      load.fate = 'lives';
      await load.completed(100);
    }
    t.is(server.status().pools[0]?.diedThreads, 0);
    await endWithoutNotice(t, load);
  });
}

for (const fate of ['dies in start', 'dies soon'] satisfies Fate[]) {
  test.serial(`a reload to a version that dies, under load: ${fate}`, async (t) => {
    const { load, pool, input, log, server, reload } = await start(t);
    const proven = { ...pool, minUptimeMs: START_PATIENCE_MS };
    for (let round = 1; round <= ROUNDS; round++) {
      await load.completed(100);
      load.fate = fate;
      await t.throwsAsync(reload({ ...input, pools: { pool: proven } }), {
        code: 'SLUICE_APPLICATION_LOAD_FAILED',
      });
      load.fate = 'lives';
      await load.completed(100);
      t.is(server.status().pools[0]?.threads.length, 2, 'the old ones');
    }
    await reload();
    await load.completed(100);
    const { failed, refused } = await load.end();
    t.is(refused, 0);
    t.is(failed, server.status().pools[0]?.exchanges.lost, 'what the new threads had begun when they died');
    if (fate === 'dies in start') t.is(failed, 0);
    else t.is(log.count('thread died'), ROUNDS);
  });
}

for (const fate of ['dies in stop', 'never stops'] satisfies Fate[]) {
  test.serial(`threads that make room do not stop as they should, under load: ${fate}`, async (t) => {
    const { load, log, server, reload } = await start(t, fate);
    const threads = fate === 'never stops' ? 1 : 2;
    for (let round = 1; round <= ROUNDS; round++) {
      await load.completed(100);
      await reload();
      t.is(log.count('application did not stop'), threads * round);
      await load.completed(100);
    }
    t.is(server.status().pools[0]?.diedThreads, 0);
    await endWithoutNotice(t, load);
  });
}

test.serial('a reload to another set of pools, and back, under load', async (t) => {
  const { load, pool, server, reload } = await start(t);
  const others: ServerInput = {
    pools: { first: pool, second: { ...pool, threads: 1 } },
    routes: [
      { path: '/*', pool: 'first' },
      { path: '/run', pool: 'second' },
    ],
    reload: { drainTimeoutMs: DRAIN_MS },
  };
  const names = () => server.status().pools.map(({ name }) => name);
  for (let round = 1; round <= ROUNDS; round++) {
    await load.completed(100);
    await reload(others);
    t.deepEqual(names(), ['first', 'second']);
    await load.completed(100);
    await reload();
    t.deepEqual(names(), ['pool']);
  }
  await load.completed(100);
  await endWithoutNotice(t, load);
});

test.serial('the clock of the day jumps under load and in the middle of a reload', async (t) => {
  const { load, reload } = await start(t);
  const RealDate = Date;
  let offMs = 0;
  globalThis.Date = class extends RealDate {
    static override now = () => RealDate.now() + offMs;
    constructor(...values: []) {
      if (values.length === 0) super(RealDate.now() + offMs);
      else super(...values);
    }
  } as DateConstructor;
  t.teardown(() => {
    globalThis.Date = RealDate;
  });
  for (let round = 1; round <= ROUNDS; round++) {
    for (const days of [1, -1, 0]) {
      const reloaded = reload();
      offMs = days * 24 * 3_600_000;
      await load.completed(50);
      await reloaded;
    }
  }
  await endWithoutNotice(t, load);
});
