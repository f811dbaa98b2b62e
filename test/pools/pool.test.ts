/** Supervision of real threads. */
import { getPriority } from 'node:os';
import test from 'ava';
import { DepthLane } from './depth-lane.ts';
import { RecordingJob } from './recording-job.ts';
import { poolOptions, startPool } from './start-pool.ts';

test('a pool starts its threads and runs jobs on them', async (t) => {
  const { pool, submit } = startPool(t, 'scripted', { minThreads: 2, maxThreads: 2 });
  await pool.start();
  t.is(pool.threadCount, 2);
  const jobs = submit('a', 'b', 'c', 'd');
  await Promise.all(jobs.map((job) => job.over.promise));
  for (const job of jobs) t.deepEqual(job.said, [['head', 3, 200]]);
  t.is(pool.dispatcher.outstandingJobs, 0);
});

test('a thread that ends is replaced: its begun job is lost, the others run once on the next', async (t) => {
  const { pool, news, submit, heard } = startPool(t, 'scripted');
  await pool.start();
  const [exit, ...others] = submit('exit', 'a', 'b', 'c');
  await Promise.all([exit!, ...others].map((job) => job.over.promise));
  t.is(exit!.lost, 1);
  for (const job of others) {
    t.deepEqual(job.said, [['head', 3, 200]]);
    t.is(job.lost, 0);
    t.true(job.opened >= 2, 'given to two threads, begun by one');
  }
  await heard('started', 2);
  t.deepEqual(
    news.map(([what]) => what),
    ['started', 'died', 'started'],
  );
});

/** Waits that no test outlasts, and none. */
const HOUR_MS = 3_600_000;
const slow = { intensity: 1, periodMs: HOUR_MS, delayMs: HOUR_MS, maxDelayMs: HOUR_MS, giveUp: false };

test('deaths beyond the restart intensity make the pool wait, which refuses what cannot wait for as long', async (t) => {
  const { pool, news, submit, heard } = startPool(t, 'scripted', { restart: slow });
  await pool.start();
  const jobs = submit('exit-1', 'exit-2', 'never');
  await Promise.all(jobs.map((job) => job.over.promise));
  await heard('degraded', 1);
  t.is(pool.state, 'degraded');
  t.is(pool.threadCount, 0);
  const [late] = submit('late');
  for (const job of [jobs[2]!, late!]) {
    t.deepEqual(job.refusals, ['no-thread']);
    t.true(job.noThreadForMs > HOUR_MS / 2 - 60_000 && job.noThreadForMs <= HOUR_MS + 60_000);
  }
  t.true((pool.figures.nextStartInMs ?? 0) > HOUR_MS / 2 - 60_000);
  t.is(pool.figures.lastDeath?.thread, 'p-2');
  t.deepEqual(
    news.map(([what]) => what),
    ['started', 'died', 'started', 'died', 'degraded'],
  );
});

test('what can wait until a thread is there again waits, and the pool recovers by itself', async (t) => {
  const { pool, news, submit, heard } = startPool(t, 'scripted', {
    // Longer than a busy machine takes from the death to the look for a replacement, which would start it at once otherwise.
    restart: { ...slow, intensity: 0, delayMs: 3_000, maxDelayMs: 3_000 },
  });
  await pool.start();
  const jobs = submit('exit', 'a', 'b');
  await Promise.all(jobs.map((job) => job.over.promise));
  for (const job of jobs.slice(1)) {
    t.deepEqual(job.said, [['head', 3, 200]]);
    t.is(job.givenTo, 'p-2');
  }
  await heard('recovered', 1);
  t.is(pool.state, 'running');
  t.is(pool.figures.nextStartInMs, null);
  t.deepEqual(
    news.map(([what]) => what),
    ['started', 'died', 'degraded', 'started', 'recovered'],
  );
});

test('a pool that is to give up says so when more die than its intensity', async (t) => {
  const { pool, news, submit, heard } = startPool(t, 'scripted', { restart: { ...slow, giveUp: true } });
  await pool.start();
  submit('exit-1', 'exit-2');
  await heard('gave up', 1);
  t.is(news.filter(([what]) => what === 'died').length, 2);
});

test('the other threads of a pool that is degraded go on', async (t) => {
  const { pool, submit, heard } = startPool(t, 'scripted', {
    minThreads: 2,
    maxThreads: 2,
    slotsPerThread: 1,
    restart: { ...slow, intensity: 0 },
  });
  await pool.start();
  submit('exit');
  await heard('degraded', 1);
  t.is(pool.state, 'degraded');
  t.is(pool.threadCount, 1);
  const jobs = submit('a', 'b');
  await Promise.all(jobs.map((job) => job.over.promise));
  for (const job of jobs) t.deepEqual(job.said, [['head', 3, 200]]);
});

test('a job that waits does not make a pool start threads sooner than it may', async (t) => {
  const { pool, submit, heard } = startPool(t, 'scripted', {
    minThreads: 1,
    maxThreads: 4,
    maxWaitMs: 2 * HOUR_MS,
    // Nobody waits for so long before.
    growAfterMs: HOUR_MS,
    restart: { ...slow, intensity: 0 },
  });
  await pool.start();
  submit('exit');
  await heard('degraded', 1);
  const [waiting] = submit('a');
  t.deepEqual([waiting!.state, pool.threadCount], ['queued', 0]);
});

test('a job that its lane held does not make a pool start threads sooner than it may', async (t) => {
  const { pool, news, heard, reactor } = startPool(t, 'scripted', {
    maxThreads: 4,
    maxWaitMs: 2 * HOUR_MS,
    growAfterMs: HOUR_MS,
    restart: { ...slow, intensity: 0 },
  });
  await pool.start();
  const lane = new DepthLane({ maxConcurrent: 1, maxHeld: 1, hasAffinity: false });
  const [, held] = ['exit', 'a'].map((name) => {
    const job = new RecordingJob(name);
    job.lane = lane;
    pool.dispatcher.submit(job);
    return job;
  });
  t.is(held!.state, 'held');
  reactor.request();
  await heard('degraded', 1);
  t.deepEqual([held!.state, pool.threadCount], ['queued', 0]);
  t.deepEqual(
    news.map(([what]) => what),
    ['started', 'died', 'degraded'],
  );
});

test('however many jobs a lane holds, a pool without a thread refuses them all at once', async (t) => {
  const { pool } = startPool(t, 'scripted', {
    restart: { ...slow, intensity: 0 },
  });
  await pool.start();
  const lane = new DepthLane({ maxConcurrent: 1, maxHeld: 20_000, hasAffinity: false });
  const jobs = ['exit', ...new Array<string>(20_000).fill('a')].map((name) => {
    const job = new RecordingJob(name);
    job.lane = lane;
    pool.dispatcher.submit(job);
    return job;
  });
  await Promise.all(jobs.map((job) => job.over.promise));
  t.is(jobs[0]!.lost, 1);
  t.true(jobs.slice(1).every(({ refusals }) => refusals.length === 1 && refusals[0] === 'no-thread'));
  t.is(lane.running, 0);
  t.is(pool.dispatcher.outstandingJobs, 0);
});

test('a thread that dies while another drains is replaced, so that the minimum takes jobs', async (t) => {
  const options = { minThreads: 2, maxThreads: 2, slotsPerThread: 1, idleTimeoutMs: 0 };
  const { pool, submit, heard } = startPool(t, 'scripted', options);
  await pool.start();
  // One each, because neither thread has room for both. Whichever is to end then has one that goes on.
  const lingering = submit('linger', 'linger');
  await Promise.all(lingering.map((job) => job.over.promise));
  t.deepEqual(lingering.map((job) => job.givenTo).sort(), ['p-1', 'p-2']);
  pool.reconfigure({ ...poolOptions('scripted'), ...options, minThreads: 1 });
  pool.tick();
  t.is(pool.dispatcher.threads.length, 1, 'one drains, for as long as its function goes on');
  const [exit] = submit('exit');
  await exit!.over.promise;
  await heard('started', 3);
  t.is(pool.threadCount, 2);
});

test('a thread that follows one which has drained runs the application from its beginning', async (t) => {
  const { pool, submit, heard } = startPool(t, 'scripted', {
    maxThreads: 2,
    slotsPerThread: 1,
    idleTimeoutMs: 0,
  });
  await pool.start();
  const first = submit('serial', 'serial');
  await heard('started', 2);
  await Promise.all(first.map((job) => job.over.promise));
  pool.tick();
  // More than the thread that is left takes at once: the next is started the moment that the one before has ended.
  const second = submit('hold', 'serial');
  await heard('started', 3);
  await second[1]!.over.promise;
  t.is(second[1]!.givenTo, 'p-3');
  t.deepEqual(second[1]!.said, [['head', 3, 201]]);
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('threads are nicer than the reactor by niceIncrement', async (t) => {
  const { pool, submit } = startPool(t, 'scripted', { niceIncrement: 3 });
  const own = getPriority();
  await pool.start();
  const [nice] = submit('nice');
  await nice!.over.promise;
  t.deepEqual(nice!.said, [['head', 3, 320 + Math.min(19, own + 3)]]);
  t.is(getPriority(), own);
});

test('errors of any shape that applications throw are told, and the thread lives on', async (t) => {
  const { pool, news, submit, heard } = startPool(t, 'scripted');
  await pool.start();
  const jobs = submit('uncloneable', 'nothing', 'a');
  await Promise.all(jobs.map((job) => job.over.promise));
  await heard('failed', 2);
  t.deepEqual(
    jobs.map((job) => job.said[0]?.[0]),
    ['reset', 'reset', 'head'],
  );
  t.is(news.filter(([what]) => what === 'died').length, 0);
});

test('a pool that drains finishes what its threads have begun, and refuses what waits and what comes', async (t) => {
  const { pool, submit } = startPool(t, 'scripted', { slotsPerThread: 1 });
  await pool.start();
  const [begun, waiting] = submit('until-drain', 'a');
  await begun!.informed.promise;
  const drained = pool.drain();
  const [late] = submit('b');
  await Promise.all([drained, ...[begun!, waiting!, late!].map((job) => job.over.promise)]);
  const [after] = submit('c');
  await after!.over.promise;
  t.deepEqual(begun!.said, [
    ['inform', 103],
    ['head', 3, 200],
  ]);
  for (const job of [waiting!, late!, after!]) t.deepEqual(job.refusals, ['draining']);
});

test('what a thread had not begun when it ended is refused while its pool drains', async (t) => {
  const { pool, submit, asleep } = startPool(t, 'scripted');
  await pool.start();
  await asleep();
  // Not published before the thread hears that it is to end.
  const [unbegun] = submit('a');
  await Promise.all([pool.drain(), unbegun!.over.promise]);
  t.deepEqual([unbegun!.said, unbegun!.refusals], [[], ['draining']]);
});

test('what a thread had not begun when it died is refused while its pool drains', async (t) => {
  const { pool, submit, asleep } = startPool(t, 'scripted');
  await pool.start();
  const [exit] = submit('exit-at-drain');
  await exit!.informed.promise;
  await asleep();
  const [unbegun] = submit('a');
  await Promise.all([pool.drain(), exit!.over.promise, unbegun!.over.promise]);
  t.is(exit!.lost, 1);
  t.deepEqual([unbegun!.said, unbegun!.refusals], [[], ['draining']]);
});

test('an application may throw anything when it is to stop: that is told, and its thread ends', async (t) => {
  const { pool, news } = startPool(t, 'unstoppable');
  await pool.start();
  await pool.drain();
  t.deepEqual(news.at(-1), ['stop failed', 'not an Error: [Object: null prototype] {}']);
  t.is(pool.threadCount, 0);
});

for (const [application, reason] of [
  ['failing', /this module does not load/],
  ['nameless', /expected a default export that is an application .*it exports named/],
  ['missing', /missing\.ts/],
] as const) {
  test(`an application that cannot be used fails the start, which names it: ${application}`, async (t) => {
    const { pool } = startPool(t, application);
    const error = await t.throwsAsync(pool.start(), { code: 'SLUICE_APPLICATION_LOAD_FAILED' });
    t.regex(error?.message ?? '', new RegExp(`pool 'p'.*applications/${application}\\.ts`));
    t.regex(error?.message ?? '', reason);
  });
}

test('an application that does not load in time fails the start', async (t) => {
  const { pool } = startPool(t, 'endless', {
    startTimeoutMs: 300,
  });
  await t.throwsAsync(pool.start(), {
    code: 'SLUICE_APPLICATION_LOAD_FAILED',
    message: /did not load within 300 ms/,
  });
});

for (const [application, reason] of [
  ['rejects-at-once', /connect ECONNREFUSED of a database/],
  ['throws-at-once', /thrown a moment after/],
] as const) {
  test(`a thread that dies before its event loop has come around has not loaded: ${application}`, async (t) => {
    const { pool, news } = startPool(t, application);
    await t.throwsAsync(pool.start(), { code: 'SLUICE_APPLICATION_LOAD_FAILED', message: reason });
    t.deepEqual(news, []);
  });
}

test('a thread of the start that dies a moment later, before it has begun anything, is told as one that did not load', async (t) => {
  const { pool } = startPool(t, 'failing-later', { minUptimeMs: HOUR_MS });
  // On a machine that is slow it fails before the reactor has heard that it was loaded.
  const failed = pool.start().then(() => pool.startFailed);
  await t.throwsAsync(failed, {
    code: 'SLUICE_APPLICATION_LOAD_FAILED',
    message: /rejected a moment after it was loaded/,
  });
});

test('a thread of the start that dies of what it has begun is no failure of the start', async (t) => {
  const { pool, submit, heard } = startPool(t, 'scripted', { minUptimeMs: HOUR_MS });
  await pool.start();
  const failed = pool.startFailed.catch(() => 'failed');
  submit('exit');
  await heard('started', 2);
  await pool.drain();
  t.is(await Promise.race([failed, 'went on']), 'went on');
});
