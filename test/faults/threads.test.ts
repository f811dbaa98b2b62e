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
    `a thread that dies by ${death} ends what it has begun, is replaced, and disturbs nobody else`,
    async (t) => {
      const limits = { resourceLimits: { maxOldGenerationSizeMb: 32 } };
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
  // Both threads are busy, so these lie in the rings of both.
  const names = Array.from({ length: 12 }, (_, index) => `-${index}`);
  const runs = names.map((name) => ask(`/run?id=${name}`));
  await ask('/steady/run?id=-after');
  t.is(names.filter((name) => signals.heard(`ran${name}`) > 0).length, 0);
  signals.tell('die');
  t.is((await killer).status, 502);
  await log.until('thread died');
  signals.tell('release');
  t.is((await blocked).status, 200);
  for (const [index, { status, body }] of (await Promise.all(runs)).entries()) {
    t.deepEqual([status, body.toString()], [200, `ran${names[index]}`]);
    // It comes another way than the answer.
    await signals.until(`ran${names[index]}`);
    t.is(signals.heard(`ran${names[index]}`), 1);
  }
});

test.serial(
  'more deaths than restart.intensity stop the pool: 503 and a log line, the other pools go on',
  async (t) => {
    const { origin, signals, log } = await startServer(t, {
      pools: {
        steady,
        mortal: {
          application: deadly,
          threads: { min: 1, max: 1 },
          restart: { intensity: 2, periodMs: 600_000 },
          retryAfterSeconds: 7,
        },
      },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    for (let death = 1; death <= 3; death++) t.is((await ask('/mortal/exit')).status, 502, `death ${death}`);
    const stopped = await log.until('pool stopped');
    t.like(stopped, { level: 'error', pool: 'mortal' });
    t.is(log.count('thread died'), 3);
    const refused = await ask('/mortal/run');
    t.deepEqual([refused.status, refused.headers['retry-after']], [503, '7']);
    t.is((await requestHttp1(`${origin}/mortal/run`)).status, 503);
    t.is(signals.heard('ran'), 0);
    t.is((await ask('/steady/run')).status, 200);
  },
);

test.serial('what waits when a pool stops is refused with 503', async (t) => {
  const { origin, signals } = await startServer(t, {
    pools: {
      mortal: {
        application: deadly,
        threads: { min: 1, max: 1 },
        restart: { intensity: 0, periodMs: 600_000 },
      },
    },
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

test.serial(
  'a pool that stops takes nothing more on its other threads, which finish what they have begun',
  async (t) => {
    const { origin, signals, log } = await startServer(t, {
      pools: {
        mortal: {
          application: deadly,
          threads: { min: 2, max: 2 },
          restart: { intensity: 0, periodMs: 600_000 },
          recallAfterMs: 3_600_000,
        },
      },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    const begun = ask('/block?id=held');
    await signals.until('begunheld');
    const killer = ask('/exit');
    t.is((await killer).status, 502);
    await log.until('pool stopped');
    t.is((await ask('/run')).status, 503);
    t.is((await requestHttp1(`${origin}/run`)).status, 503);
    signals.tell('release');
    t.like(await begun, { status: 200 });
    t.is((await ask('/run')).status, 503);
  },
);

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
  t.is(log.count('pool stopped'), 0);
  t.is((await ask('/run')).status, 200);
});
