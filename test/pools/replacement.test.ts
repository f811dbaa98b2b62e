/** A thread in the place of another, of the same version or of the next. */
import test from 'ava';
import { ReplacementWithdrawnError } from '../../runtime/pools/replacement-withdrawn-error.ts';
import { poolOptions, startPool } from './start-pool.ts';

test('a replacement takes jobs before the thread that it replaces ends, and that one finishes what it has', async (t) => {
  const { pool, news, submit } = startPool(t, 'scripted');
  await pool.start();
  const [begun] = submit('until-drain');
  await begun!.informed.promise;
  const [old] = pool.threads;
  const replaced = pool.renewal.replaceThread(old!);
  await begun!.over.promise;
  t.deepEqual(begun!.said.at(-1), ['head', 3, 200]);
  await replaced;
  t.deepEqual(
    [...pool.threads].map(({ name, state }) => [name, state]),
    [['p-2', 'ready']],
  );
  const [next] = submit('a');
  await next!.over.promise;
  t.is(next!.givenTo, 'p-2');
  t.deepEqual(news, [
    ['started', 'p-1'],
    ['started', 'p-2'],
  ]);
});

test('a replacement that does not load changes nothing: the thread that it was for goes on', async (t) => {
  const { pool, news, submit } = startPool(t, 'scripted');
  await pool.start();
  const [old] = pool.threads;
  const broken = pool.renewal.createVersion(poolOptions('failing'));
  await t.throwsAsync(pool.renewal.replaceThread(old!, broken), {
    code: 'SLUICE_APPLICATION_LOAD_FAILED',
    message: /this module does not load/,
  });
  const [job] = submit('a');
  await job!.over.promise;
  t.is(job!.givenTo, 'p-1');
  t.deepEqual(news, [['started', 'p-1']]);
  t.is(pool.figures.diedThreads, 0);
});

test('a thread that has been replaced and does not finish is ended at its deadline', async (t) => {
  const { pool, submit } = startPool(t, 'scripted', { retireTimeoutMs: 1 });
  await pool.start();
  const [held] = submit('hold');
  const [old] = pool.threads;
  while (old!.unbegunJobs > 0) await new Promise(setImmediate);
  await pool.renewal.replaceThread(old!);
  t.is(held!.lost, 1);
  t.is(pool.threadCount, 1);
});

test('threads are started of the version in use, beside those of the one before', async (t) => {
  const { pool, submit } = startPool(t, 'scripted', { minThreads: 2, maxThreads: 2 });
  await pool.start();
  const [first, second] = pool.threads;
  const next = pool.renewal.createVersion(poolOptions('next-version'));
  pool.renewal.use(next);
  await pool.renewal.replaceThread(first!);
  t.not(pool.renewal.versionOf(second!), next);
  t.deepEqual(
    [...pool.threads].map((thread) => pool.renewal.versionOf(thread) === next),
    [false, true],
  );
  await pool.renewal.replaceThread(second!);
  const jobs = submit('a', 'b', 'c');
  await Promise.all(jobs.map((job) => job.over.promise));
  for (const job of jobs) t.deepEqual(job.said, [['head', 3, 299]]);
});

test('a thread that dies beside a replacement that still loads is replaced at once', async (t) => {
  const { pool, heard } = startPool(t, 'scripted', { minThreads: 2, maxThreads: 2 });
  await pool.start();
  const [first, second] = pool.threads;
  const endless = pool.renewal.createVersion({ ...poolOptions('endless'), startTimeoutMs: 600_000 });
  const replaced = pool.renewal.replaceThread(first!, endless);
  const [, , replacement] = pool.threads;
  await pool.workerOf(second!)!.terminate();
  await heard('started', 3);
  t.deepEqual(
    [...pool.threads].map(({ name, state }) => [name, state]),
    [
      ['p-1', 'ready'],
      ['p-3', 'starting'],
      ['p-4', 'ready'],
    ],
  );
  await pool.workerOf(replacement!)!.terminate();
  await t.throwsAsync(replaced, { code: 'SLUICE_APPLICATION_LOAD_FAILED' });
  t.is(pool.threadCount, 2);
});

test('a pool that tries one thread at a time tries the next when a replacement has not loaded', async (t) => {
  const { pool, heard } = startPool(t, 'scripted', { minThreads: 2, maxThreads: 2 });
  await pool.start();
  const [first, second] = pool.threads;
  const present = pool.renewal.version;
  const endless = pool.renewal.createVersion({ ...poolOptions('endless'), startTimeoutMs: 600_000 });
  const replaced = pool.renewal.replaceThread(first!, endless);
  const [, , replacement] = pool.threads;
  pool.renewal.use(pool.renewal.createVersion(poolOptions('failing')));
  await pool.workerOf(second!)!.terminate();
  await heard('died', 2);
  pool.renewal.use(present);
  // The wait after the thread that did not load is over, and the replacement still loads.
  while (pool.figures.nextStartInMs !== null) await new Promise(setImmediate);
  t.is(pool.threadCount, 2);
  await pool.workerOf(replacement!)!.terminate();
  await t.throwsAsync(replaced, { code: 'SLUICE_APPLICATION_LOAD_FAILED' });
  await heard('started', 3);
  t.is(pool.threadCount, 2);
});

test('a smaller pool ends no thread on trial, and has as many as it may when the trial is over', async (t) => {
  const options = { minThreads: 2, maxThreads: 2 };
  const { pool } = startPool(t, 'scripted', options);
  await pool.start();
  const [first] = pool.threads;
  const replaced = pool.renewal.replaceThread(first!);
  const [, , trial] = pool.threads;
  t.is(trial!.state, 'starting');
  // As a resize to what it has does.
  pool.renewal.retireSurplus();
  t.is(trial!.state, 'starting');
  pool.reconfigure({ ...poolOptions('scripted'), minThreads: 1, maxThreads: 1 });
  pool.renewal.retireSurplus();
  await replaced;
  while (pool.threadCount > 1) await new Promise(setImmediate);
  t.deepEqual(
    [...pool.threads].map(({ state }) => state),
    ['ready'],
  );
  t.is(pool.figures.diedThreads, 0);
});

test('a recycling whose replacement a reload ends fails as what it is, and the thread is left to the reload', async (t) => {
  const { pool, news } = startPool(t, 'scripted');
  await pool.start();
  const [old] = pool.threads;
  const recycled = pool.renewal.recycle(old!, 'asked');
  const [, trial] = pool.threads;
  void pool.renewal.retireThread(trial!);
  await t.throwsAsync(recycled, {
    instanceOf: ReplacementWithdrawnError,
    message: /thread p-1: its replacement was ended, because a reload replaces/,
  });
  t.is(old!.state, 'ready');
  t.false(news.some(([what]) => what === 'not recycled' || what === 'died'));
});
