/** Supervision of real threads. */
import { getPriority } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { Pool, type PoolObserver, type PoolOptions } from '../../runtime/pools/pool.ts';
import { Reactor } from '../../runtime/reactor.ts';
import { RecordingJob } from './recording-job.ts';

type News = [what: string, detail: string];

function create(t: ExecutionContext, application: string, own: Partial<PoolOptions> = {}) {
  const news: News[] = [];
  const waiting: (() => void)[] = [];
  const tell = (what: string, detail: string) => {
    news.push([what, detail]);
    for (const wake of waiting.splice(0)) wake();
  };
  const observer: PoolObserver = {
    onThreadStarted: (_pool, thread) => tell('started', thread),
    onThreadDied: (_pool, _thread, cause) => tell('died', cause.message),
    onStopped: (_pool, cause) => tell('stopped', cause.message),
    onApplicationError: (_pool, error) => tell('failed', error.message),
    onStopFailed: (_pool, _thread, error) => tell('stop failed', error.message),
  };
  const reactor = new Reactor(5, () => pool.tick());
  const pool: Pool = new Pool(
    {
      name: 'p',
      minThreads: 1,
      maxThreads: 1,
      idleTimeoutMs: 60_000,
      slotsPerThread: 16,
      ringBytes: 65_536,
      maxQueuedJobs: 100,
      maxWaitMs: 60_000,
      recallAfterMs: 5,
      restart: { intensity: 3, periodMs: 60_000 },
      startTimeoutMs: 30_000,
      resourceLimits: undefined,
      niceIncrement: 0,
      host: {
        application: new URL(`applications/${application}.ts`, import.meta.url).href,
        pool: 'p',
        requestWindowBytes: 65_536,
        responseWindowBytes: 65_536,
        writeBacklogBytes: 1_000_000,
      },
      ...own,
    },
    reactor,
    observer,
  );
  t.teardown(() => pool.destroy());
  const submit = (...names: string[]) =>
    names.map((name) => {
      const job = new RecordingJob(name);
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
  return { pool, news, submit, heard };
}

test('a pool starts its threads and runs jobs on them', async (t) => {
  const { pool, submit } = create(t, 'scripted', { minThreads: 2, maxThreads: 2 });
  await pool.start();
  t.is(pool.threadCount, 2);
  const jobs = submit('a', 'b', 'c', 'd');
  await Promise.all(jobs.map((job) => job.over.promise));
  for (const job of jobs) t.deepEqual(job.said, [['head', 3, 200]]);
  t.is(pool.dispatcher.outstandingJobs, 0);
});

test('a thread that ends is replaced: its begun job is lost, the others run once on the next', async (t) => {
  const { pool, news, submit, heard } = create(t, 'scripted');
  await pool.start();
  const [exit, ...others] = submit('exit', 'a', 'b', 'c');
  await Promise.all([exit!, ...others].map((job) => job.over.promise));
  t.is(exit!.lost, 1);
  for (const job of others) {
    t.deepEqual(job.said, [['head', 3, 200]]);
    t.is(job.lost, 0);
    t.is(job.opened, 2, 'given to two threads, begun by one');
  }
  await heard('started', 2);
  t.deepEqual(
    news.map(([what]) => what),
    ['started', 'died', 'started'],
  );
});

test('deaths beyond the restart intensity stop the pool, which refuses what comes', async (t) => {
  const { pool, news, submit, heard } = create(t, 'scripted', {
    restart: { intensity: 1, periodMs: 60_000 },
  });
  await pool.start();
  const jobs = submit('exit-1', 'exit-2', 'never');
  await Promise.all(jobs.map((job) => job.over.promise));
  await heard('stopped', 1);
  t.is(pool.state, 'stopped');
  t.deepEqual(jobs[2]!.refusals, ['pool-stopped']);
  const [late] = submit('late');
  t.deepEqual(late!.refusals, ['pool-stopped']);
  t.is(news.filter(([what]) => what === 'stopped').length, 1);
  t.is(pool.threadCount, 0);
});

test('a thread that dies while another drains is replaced, so that the minimum takes jobs', async (t) => {
  const { pool, submit, heard } = create(t, 'scripted', {
    minThreads: 1,
    maxThreads: 2,
    slotsPerThread: 1,
    idleTimeoutMs: 0,
  });
  await pool.start();
  const lingering = submit('linger', 'linger');
  await heard('started', 2);
  await Promise.all(lingering.map((job) => job.over.promise));
  pool.tick();
  t.is(pool.dispatcher.threads.length, 1, 'one drains, for as long as its function goes on');
  const [exit] = submit('exit');
  await exit!.over.promise;
  await heard('started', 3);
  t.is(pool.threadCount, 2);
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('threads are nicer than the reactor by niceIncrement', async (t) => {
  const { pool, submit } = create(t, 'scripted', { niceIncrement: 3 });
  const own = getPriority();
  await pool.start();
  const [nice] = submit('nice');
  await nice!.over.promise;
  t.deepEqual(nice!.said, [['head', 3, 320 + Math.min(19, own + 3)]]);
  t.is(getPriority(), own);
});

test('errors of any shape that applications throw are told, and the thread lives on', async (t) => {
  const { pool, news, submit, heard } = create(t, 'scripted');
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

test('an application may throw anything when it is to stop: that is told, and its thread ends', async (t) => {
  const { pool, news } = create(t, 'unstoppable');
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
    const { pool } = create(t, application);
    const error = await t.throwsAsync(pool.start(), { code: 'SLUICE_APPLICATION_LOAD_FAILED' });
    t.regex(error?.message ?? '', new RegExp(`pool 'p'.*applications/${application}\\.ts`));
    t.regex(error?.message ?? '', reason);
  });
}

test('an application that does not load in time fails the start', async (t) => {
  const { pool } = create(t, 'endless', { startTimeoutMs: 300, restart: { intensity: 0, periodMs: 60_000 } });
  await t.throwsAsync(pool.start(), {
    code: 'SLUICE_APPLICATION_LOAD_FAILED',
    message: /did not load within 300 ms/,
  });
});
