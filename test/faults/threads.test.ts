/** Threads that die: what becomes of the exchanges they have begun, of those they have not, and of everybody else's. */
import { once } from 'node:events';
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const INTERNAL_ERROR = 0x2;
const deadly = application('faults', 'deadly');
const steady = { application: application('server', 'staged'), threads: { max: 1 } };

for (const [death, cause] of [
  ['exit', /exit|worker/i],
  ['throw', /thrown where nobody catches/],
  ['reject', /rejected where nobody looks/],
  ['heap', /memory/i],
  ['stack', /stack/i],
] as const) {
  test.serial(
    `a thread that dies by ${death} ends what it has begun, is replaced, and disturbs no other exchange`,
    async (t) => {
      const limits = { resourceLimits: { maxOldGenerationSizeMb: 32 }, queue: { maxWaitMs: 600_000 } };
      const { origin, signals, log } = await startServer(t, {
        pools: { mortal: { application: deadly, threads: { min: 1, max: 1 }, ...limits }, steady },
      });
      const session = await connectHttp2(t, origin);
      const ask = (path: string) => session.request({ ':path': path, [SIGNALS_FIELD]: signals.name });
      const started = ask('/mortal/stream?id=started');
      const startedAnswer = answer(started);
      const waiting = answer(ask('/mortal/wait?id=waiting'));
      const others = answer(ask('/steady/stream?id=others'));
      const http1 = requestHttp1(`${origin}/mortal/stream`, { headers: { [SIGNALS_FIELD]: signals.name } });
      await Promise.all([
        once(started, 'data'),
        ...['begunstarted', 'begunwaiting', 'begunothers', 'begun'].map((word) => signals.until(word)),
      ]);

      const killer = await answer(ask(`/mortal/${death}`));
      t.deepEqual([killer.status, killer.body.toString()], [502, '502 Bad Gateway\n']);
      t.like(await waiting, { status: 502, resetCode: 0 });
      t.like(await startedAnswer, { status: 200, resetCode: INTERNAL_ERROR });
      t.is((await http1).how, 'cut');
      const died = await log.until('thread died');
      t.like(died, { level: 'error', pool: 'mortal', thread: 'mortal-1' });
      t.regex((died.err as { message: string }).message, cause);

      t.is((await answer(ask('/mortal/run'))).body.toString(), 'ran');
      t.truthy(log.lines.find(({ msg, thread }) => msg === 'thread started' && thread === 'mortal-2'));
      signals.tell('release');
      t.like(await others, { status: 200, resetCode: 0 });
      t.is((await others).body.toString(), 'first last');
    },
  );
}

test.serial('what a dead thread had not begun is served by another thread, once', async (t) => {
  const pool = { application: deadly, threads: { min: 2, max: 2 }, recallAfterMs: 3_600_000 };
  const { origin, signals, log } = await startServer(t, { pools: { pool, steady } });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  const killer = ask('/exit?held');
  const blocked = ask('/block?id=other');
  await Promise.all([signals.until('begunheld'), signals.until('begunother')]);
  // Both threads are busy, so these lie in the rings of both, or wait for one.
  const names = Array.from({ length: 12 }, (_, index) => `-${index}`);
  const runs = names.map((name) => ask(`/run?id=${name}`));
  await ask('/steady/run?id=-after');
  t.is(names.filter((name) => signals.heard(`ran${name}`) > 0).length, 0);
  signals.tell('die');
  t.is((await killer).status, 502);
  const died = await log.until('thread died');
  t.like(died, { begun: [{ path: '/exit' }], moreBegun: 0 });
  // As many as it had been given: the others wait in the reactor.
  t.true((died.moved as number) >= 1);
  signals.tell('release');
  t.is((await blocked).status, 200);
  for (const [index, { status, body }] of (await Promise.all(runs)).entries()) {
    t.deepEqual([status, body.toString()], [200, `ran${names[index]}`]);
    // It comes another way than the answer.
    await signals.until(`ran${names[index]}`);
    t.is(signals.heard(`ran${names[index]}`), 1);
  }
});

/** A wait that no test outlasts. */
const never = { intensity: 0, periodMs: 600_000, delayMs: 600_000, maxDelayMs: 600_000 };

test.serial(
  'a pool without a thread for longer than requests may wait answers 503 and when to come back; the other pools go on',
  async (t) => {
    const { origin, server, signals, log } = await startServer(t, {
      pools: {
        steady,
        mortal: {
          application: deadly,
          threads: { min: 1, max: 1 },
          restart: { ...never, intensity: 2 },
          retryAfterSeconds: 7,
        },
      },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    for (let death = 1; death <= 3; death++) t.is((await ask('/mortal/exit')).status, 502, `death ${death}`);
    const degraded = await log.until('pool degraded');
    t.like(degraded, { level: 'warn', pool: 'mortal', threads: 0, min: 1 });
    t.is(log.count('thread died'), 3);
    t.is(log.count('thread died: it is replaced later'), 1);
    const refused = await ask('/mortal/run');
    t.is(refused.status, 503);
    // Half of the wait is left to chance.
    const seconds = Number(refused.headers['retry-after']);
    t.true(seconds >= 290 && seconds <= 660, String(seconds));
    t.is((await requestHttp1(`${origin}/mortal/run`)).status, 503);
    t.is(signals.heard('ran'), 0);
    t.is((await ask('/steady/run')).status, 200);
    const status = server.status().pools.find(({ name }) => name === 'mortal');
    t.like(status, { state: 'degraded', diedThreads: 3, startedThreads: 3, exchanges: { noThread: 2 } });
    t.true((status?.nextStartInMs ?? 0) > 200_000);
    t.like(status?.lastDeath, { thread: 'mortal-3' });
  },
);

test.serial(
  'a pool that has waited starts a thread, serves what waited, and says that it recovered',
  async (t) => {
    const { origin, server, signals, log } = await startServer(t, {
      pools: {
        mortal: {
          application: deadly,
          threads: { min: 1, max: 1 },
          restart: { intensity: 0, periodMs: 600_000, delayMs: 1, maxDelayMs: 1 },
          queue: { maxWaitMs: 600_000 },
        },
      },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    for (let death = 1; death <= 3; death++) {
      const [killer, waiting] = await Promise.all([ask('/exit'), ask('/run')]);
      t.is(killer.status, 502);
      t.is(waiting.status, 200);
    }
    await log.until('pool recovered');
    t.is(server.status().pools[0]?.state, 'running');
    t.is(signals.heard('ran'), 3);
  },
);

test.serial('what waits when a pool loses its last thread for long is refused with 503', async (t) => {
  const { origin, signals } = await startServer(t, {
    pools: { mortal: { application: deadly, threads: { min: 1, max: 1 }, restart: never } },
    routes: ['/exit', '/run'].map((path) => ({ path, pool: 'mortal' })),
  });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  const killer = ask('/exit?held');
  await signals.until('begunheld');
  const waiting = ask('/run?id=waiting');
  // Requests of one connection are taken in order, so this answer says that the one before has been taken.
  t.is((await ask('/nowhere')).status, 404);
  signals.tell('die');
  t.is((await killer).status, 502);
  t.is((await waiting).status, 503);
  t.is(signals.heard('ranwaiting'), 0);
});

test.serial('a pool that is degraded goes on with the threads that it has', async (t) => {
  const { origin, server, signals, log } = await startServer(t, {
    pools: { mortal: { application: deadly, threads: { min: 2, max: 2 }, restart: never } },
  });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  t.is((await ask('/exit')).status, 502);
  t.like(await log.until('pool degraded'), { threads: 1, min: 2 });
  t.is(server.status().pools[0]?.state, 'degraded');
  for (let i = 0; i < 10; i++) t.is((await ask('/run')).status, 200);
});

test.serial('deaths one after another leave a pool at its size and serving', async (t) => {
  const { origin, signals, log } = await startServer(t, {
    pools: {
      mortal: {
        application: deadly,
        threads: { min: 2, max: 2 },
        restart: { intensity: 100, periodMs: 600_000 },
      },
    },
  });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all([ask('/exit'), ask('/throw'), ask('/reject')]);
    for (const { status } of answers) t.is(status, 502);
  }
  t.is(log.count('pool degraded'), 0);
  t.is((await ask('/run')).status, 200);
});
