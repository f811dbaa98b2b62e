/** Threads that hang under a whole server: who is answered what, who goes on, and what the log says. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import type { LogLine } from '../server/log-lines.ts';
import { startProcess } from '../server/process.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const INTERNAL_ERROR = 0x2;
const hanging = application('faults', 'hanging');
/** Nothing that is to go on stands still for as long, on whatever machine. */
const limits = { computeTimeoutMs: 1_000, computeGraceMs: 100 };

test.serial(
  'two requests into a loop on a pool of two threads: it recovers, and the log says so',
  async (t) => {
    const { origin, server, signals, log } = await startServer(t, {
      pools: {
        pool: { application: hanging, threads: { min: 2, max: 2 }, ...limits, queue: { maxWaitMs: 600_000 } },
      },
    });
    const session = await connectHttp2(t, origin);
    const headers = { [SIGNALS_FIELD]: signals.name };
    const hung = [
      request(session, { ':path': '/loop?id=1', ...headers }),
      requestHttp1(`${origin}/loop?id=2`, { headers }),
    ];
    // What a thread has begun in the same turn, answered or not, ends with it.
    await Promise.all(['begun1', 'begun2'].map((word) => signals.until(word)));
    const later = Array.from({ length: 20 }, () => request(session, { ':path': '/run' }));
    for (const { status } of await Promise.all(hung)) t.is(status, 504);
    for (const { status } of await Promise.all(later)) t.is(status, 200);
    const isOf = (name: string) => (line: LogLine) => line.thread === name;
    await Promise.all(['pool-1', 'pool-2'].map((name) => log.until('thread died', isOf(name))));
    const overdue = log.lines.filter(({ msg }) => String(msg).startsWith('thread overdue'));
    t.is(overdue.length, 2);
    for (const line of overdue) {
      t.like(line, { pool: 'pool', overran: { method: 'GET', route: '/*', path: '/loop' }, moreOthers: 0 });
    }
    const died = log.find('thread died');
    t.like(died, { pool: 'pool', begun: [{ method: 'GET', route: '/*', path: '/loop' }], moreBegun: 0 });
    const { code, stack } = (died?.err ?? {}) as { code?: string; stack?: string };
    t.is(code, 'SLUICE_THREAD_HUNG');
    t.notRegex(stack ?? '', /\.ts:/, 'frames of the reactor');
    const [status] = server.status().pools;
    // One thread may still be starting.
    t.like(status, { hungThreads: 2, diedThreads: 2, exchanges: { timedOut: 2 } });
  },
);

test.serial('a hanging thread affects only the exchanges that it had begun', async (t) => {
  const { origin, signals, log } = await startServer(t, {
    pools: {
      pool: { application: hanging, threads: { min: 1, max: 1 }, ...limits, queue: { maxWaitMs: 600_000 } },
    },
  });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => session.request({ ':path': path, [SIGNALS_FIELD]: signals.name });
  const started = ask('/stream?id=started');
  const startedAnswer = answer(started);
  const waiting = answer(ask('/wait?id=waiting'));
  await Promise.all([once(started, 'data'), signals.until('begunstarted'), signals.until('begunwaiting')]);
  const overran = answer(ask('/loop?id=loop'));
  await signals.until('begunloop');
  const moved = Array.from({ length: 5 }, () => answer(ask('/run')));
  t.like(await overran, { status: 504, resetCode: 0 });
  t.like(await waiting, { status: 502, resetCode: 0 });
  t.like(await startedAnswer, { status: 200, resetCode: INTERNAL_ERROR });
  for (const { status } of await Promise.all(moved)) t.is(status, 200);
  const died = await log.until('thread died');
  t.deepEqual(
    (died.begun as { path: string }[]).map(({ path }) => path),
    ['/stream', '/wait', '/loop'],
  );
});

test.serial('a route may have a limit of its own', async (t) => {
  const { origin, log } = await startServer(t, {
    pools: { pool: { application: hanging, threads: { min: 2, max: 2 }, exchangesPerThread: 1 } },
    routes: [
      { path: '/*', pool: 'pool' },
      { path: '/loop/strict', pool: 'pool', computeTimeoutMs: 300 },
    ],
  });
  const session = await connectHttp2(t, origin);
  const patient = request(session, { ':path': '/loop' });
  t.is((await request(session, { ':path': '/loop/strict' })).status, 504);
  await log.until('thread died');
  t.is(log.count('thread overdue'), 1);
  session.destroy();
  await patient;
});

test.serial(
  'a thread that returns within the grace period continues; its exchange has been answered',
  async (t) => {
    const { origin, signals, log } = await startServer(t, {
      pools: {
        pool: {
          application: hanging,
          threads: { min: 1, max: 1 },
          computeTimeoutMs: 300,
          computeGraceMs: 600_000,
        },
      },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    const blocked = ask('/block-and-tell?id=late');
    await signals.until('begunlate');
    t.is((await blocked).status, 504);
    signals.tell('release');
    await signals.until('abortedlate');
    t.like(await log.until('thread returned'), { pool: 'pool' });
    t.is((await ask('/run')).status, 200);
    t.is(log.count('thread died'), 0);
  },
);

const onPosix = process.platform === 'win32' ? test.skip : test;
onPosix('a process that was stopped does not take its threads for hung', async (t) => {
  const { child, listening, log } = startProcess(t, {
    pools: {
      // Of a busy machine the thread gets as much as anybody: it has to compute within what is left of the limit.
      pool: {
        application: hanging,
        threads: { min: 1, max: 1 },
        niceIncrement: 0,
        computeTimeoutMs: 8_000,
      },
    },
  });
  const session = await connectHttp2(t, await listening());
  // It computes while the process stands still.
  const computing = session.request({ ':path': '/compute?ms=100' });
  const answered = answer(computing);
  await once(computing, 'headers');
  child.kill('SIGSTOP');
  // Longer than the limit, by any clock: the system's, as no other passes.
  await delay(9_000);
  child.kill('SIGCONT');
  t.is((await answered).status, 200);
  t.is(log.count('thread overdue'), 0);
});
