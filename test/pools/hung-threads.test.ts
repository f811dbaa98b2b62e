/** Threads that hang, and those that only seem to: real ones. */
import { type EventEmitter, once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { startPool } from './start-pool.ts';

/** Nothing that is to go on stands still for as long, on whatever machine. */
const limits = { computeTimeoutMs: 1_000, computeGraceMs: 100 };

for (const way of ['loop', 'wait', 'regexp', 'wasm'] as const) {
  test(`a thread that hangs is ended, and what it had not begun runs on the next: ${way}`, async (t) => {
    const { pool, news, casualtiesOf, submit, heard } = startPool(t, 'hanging', limits);
    await pool.start();
    const [held] = submit('hold');
    const [overran, ...others] = submit(way, 'a', 'b', 'c');
    await Promise.all([held!, overran!, ...others].map((job) => job.over.promise));
    t.is(overran!.overruns, 1);
    t.is(held!.overruns, 0);
    t.deepEqual([overran!.lost, held!.lost], [1, 1]);
    for (const job of others) {
      t.deepEqual(job.said, [['head', 3, 200]]);
      t.is(job.givenTo, 'p-2');
    }
    t.is(pool.figures.hungThreads, 1);
    await heard('started', 2);
    t.deepEqual(
      news.map(([what]) => what),
      ['started', 'overdue', 'died', 'started'],
    );
    t.regex(news[2]?.[1] ?? '', /did not return to its event loop for \d+ ms, and computeTimeoutMs is 1000/);
    t.like(casualtiesOf[0], { first: [{ what: 'hold' }, { what: way }], more: 0 });
  });
}

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux(
  'a thread that waits for a child process is ended with it, and nobody waits for either',
  async (t) => {
    const { pool, news, submit, heard } = startPool(t, 'hanging', limits);
    await pool.start();
    const [thread] = pool.threads;
    const ended = once(pool.workerOf(thread!) as EventEmitter, 'exit');
    const [overran, after] = submit('child', 'a');
    await Promise.all([overran!.over.promise, after!.over.promise]);
    t.is(overran!.lost, 1);
    t.is(after!.givenTo, 'p-2');
    await heard('children ended', 1);
    // A shell, and what it has started.
    t.is(news.find(([what]) => what === 'children ended')?.[1], '2');
    await ended;
  },
);

test('code that runs behind a timer is found by waking its thread', async (t) => {
  const { pool, submit } = startPool(t, 'hanging', limits);
  await pool.start();
  const [overran] = submit('timer');
  await overran!.informed.promise;
  await overran!.over.promise;
  t.is(overran!.overruns, 1, 'the only one that the thread has begun');
  t.is(pool.figures.hungThreads, 1);
});

test('of several that it may be none is blamed', async (t) => {
  const { pool, submit } = startPool(t, 'hanging', limits);
  await pool.start();
  const jobs = submit('hold', 'timer');
  await Promise.all(jobs.map((job) => job.over.promise));
  for (const job of jobs) t.deepEqual([job.overruns, job.lost], [0, 1]);
});

test('a thread whose exchanges await for longer than the limit is not ended', async (t) => {
  const { pool, reactor, news, submit } = startPool(t, 'hanging', {
    // Longer than a busy machine keeps a thread waiting for a core, and shorter than the exchange lasts.
    computeTimeoutMs: 2_000,
    computeGraceMs: 0,
  });
  await pool.start();
  const [held] = submit('hold');
  // The reactor of a server looks at it every so often while nothing else happens.
  for (const end = performance.now() + 5_000; performance.now() < end; ) {
    const [job] = submit('a');
    await job!.over.promise;
    reactor.tick();
    pool.tick();
  }
  t.is(held!.lost, 0);
  t.deepEqual(news, [['started', 'p-1']]);
});

test('a job decides how long its own code may take', async (t) => {
  const { pool, submit, heard } = startPool(t, 'hanging', {
    ...limits,
    minThreads: 2,
    maxThreads: 2,
    slotsPerThread: 1,
  });
  await pool.start();
  const [patient, strict] = submit('loop', 'loop');
  patient!.ownComputeTimeoutMs = 0;
  strict!.ownComputeTimeoutMs = 300;
  await strict!.over.promise;
  await heard('started', 3);
  t.is(strict!.lost, 1);
  t.is(patient!.lost, 0);
  t.is(pool.figures.hungThreads, 1);
});

test('while a heap snapshot is taken a thread may stand still', async (t) => {
  const { pool, submit, news } = startPool(t, 'hanging', { computeTimeoutMs: 50, computeGraceMs: 0 });
  await pool.start();
  const [thread] = pool.threads;
  const { port1, port2 } = new MessageChannel();
  t.teardown(() => port1.close());
  // Nobody takes it, so it is not over.
  const snapshot = pool.sendHeapSnapshot(thread!, port2).catch(() => undefined);
  const [overran] = submit('loop');
  for (const end = performance.now() + 500; performance.now() < end; ) {
    await new Promise(setImmediate);
  }
  t.is(overran!.lost, 0);
  t.deepEqual(news, [['started', 'p-1']]);
  void snapshot;
});
