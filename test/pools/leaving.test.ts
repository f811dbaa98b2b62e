/**
 * Threads that are ended while they load, behind and in the middle of imports with top-level await. To terminate them there aborts the
 * whole process: this test's, or the server's. `SLUICE_IMPORTS=20` ends more of them.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Thread } from '../../runtime/pools/thread.ts';
import { AppFolder } from '../reload/app-folder.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { startProcess } from '../server/process.ts';
import { Signals } from '../server/signals.ts';
import { startPool } from './start-pool.ts';

const ROUNDS = Number(process.env.SLUICE_IMPORTS ?? 2);
const THREADS = 4;
const HOUR_MS = 3_600_000;

const application = (name: string) => fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));

/** Threads each of which has said that it is in the middle of its imports. */
async function importing(t: ExecutionContext, name: string, threads = THREADS) {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const { pool, heard } = startPool(t, name, {
    minThreads: threads,
    maxThreads: threads,
    startTimeoutMs: HOUR_MS,
    flags: { env: { ...process.env, TEST_SIGNALS: signals.name } },
  });
  const started = pool.start();
  await Promise.race([started, signals.until('importing', threads)]);
  return { pool, started, signals, heard };
}

for (let round = 1; round <= ROUNDS; round++) {
  test.serial(`threads are ended in the middle of imports with top-level await: ${round}`, async (t) => {
    const { pool, started } = await importing(t, 'importing');
    const failed = t.throwsAsync(started, {
      code: 'SLUICE_APPLICATION_LOAD_FAILED',
      message: /its pool ends/,
    });
    await pool.destroy();
    await failed;
    t.is(pool.threadCount, 0);
  });

  test.serial(`threads whose modules run behind a top-level await end behind them: ${round}`, async (t) => {
    const { pool, started, signals } = await importing(t, 'behind-await');
    const failed = t.throwsAsync(started, {
      code: 'SLUICE_APPLICATION_LOAD_FAILED',
      message: /its pool ends/,
    });
    const destroyed = pool.destroy();
    await failed;
    t.is(pool.threadCount, 0);
    t.is(pool.figures.unendedThreads, THREADS);
    signals.tell('go on');
    await destroyed;
    t.is(pool.figures.unendedThreads, 0);
  });
}

test.serial(
  'of threads that cannot be ended there are no more than one beyond the most that a pool may have',
  async (t) => {
    const { pool, started, signals, heard } = await importing(t, 'behind-await', 1);
    signals.tell('go on');
    await started;
    const [first] = pool.threads;
    void pool.workerOf(first as Thread)?.terminate();
    for (let left = 1; left <= 2; left++) {
      await signals.until('importing', 1 + left);
      const [thread] = pool.threads;
      pool.onCorrupt(thread as Thread, new Error('to be ended'));
      await heard('died', 1 + left);
      t.is(pool.figures.unendedThreads, left);
    }
    t.is(pool.threadCount, 0);
    t.is(pool.figures.nextStartInMs, null, 'it starts no other');
    t.throws(() => pool.renewal.try(pool.renewal.version), {
      message: /2 threads that were told to end still run/,
    });
    signals.tell('go on');
    await signals.until('importing', 4);
    signals.tell('go on');
    await heard('started', 2);
    t.is(pool.state, 'running');
  },
);

test.serial('start ends with 3 when a module hangs behind a top-level await', async (t) => {
  const folder = new AppFolder(t);
  const gate = folder.write('gate', 'shut');
  const pool = { application: application('loops-behind-await'), threads: 1, env: { TEST_GATE: gate } };
  const { ended, log } = startProcess(t, { pools: { pool: { ...pool, startTimeoutMs: 500 } } });
  const { code, signal } = await ended;
  if (process.execve !== undefined) t.deepEqual({ code, signal }, { code: 3, signal: null });
  // Without it a process cannot end beside a thread that does not, and leave a code.
  else t.is(signal, 'SIGKILL');
  t.regex(String(log.find('did not load')?.msg), /loops-behind-await.*did not load within 500 ms/);
});

test.serial('a reload to a module that hangs behind a top-level await costs nothing', async (t) => {
  const folder = new AppFolder(t);
  const gate = folder.write('gate', 'open');
  const pool = { application: application('loops-behind-await'), threads: 1, env: { TEST_GATE: gate } };
  const { child, file, listening, log, ended } = startProcess(t, { pools: { pool } });
  const origin = await listening();
  writeFileSync(gate, 'shut');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  Object.assign(config.pools.pool, { startTimeoutMs: 500 });
  writeFileSync(file, JSON.stringify(config));
  child.kill('SIGHUP');
  const refused = await log.until('not reloaded, the running version stays');
  t.regex(String(refused.msg), /did not load within/);
  t.is(String((await requestHttp1(origin)).body), '42');
  // It leaves when it comes to itself, be it late.
  writeFileSync(gate, 'open');
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});

for (const [what, own] of [
  ['an application', { application: application('exits-behind-await') }],
  ['a module of actors', { module: application('exits-behind-await') }],
] as const) {
  test.serial(`${what} that calls process.exit behind a top-level await ends its thread alone`, async (t) => {
    const isActors = 'module' in own;
    const { ended, log, errors } = startProcess(t, {
      pools: {
        web: { application: application('flags'), threads: 1 },
        pool: { ...own, threads: 1 },
      },
      routes: [{ path: '/*', pool: isActors ? 'web' : 'pool' }],
      ...(isActors && { actors: { any: { pool: 'pool', export: 'Any', kind: 'pool' } } }),
    });
    t.deepEqual(await ended, { code: 3, signal: null }, errors());
    t.regex(JSON.stringify(log.lines), /process\.exit\(7\)|exited with code: 7/);
  });
}
