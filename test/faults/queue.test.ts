/** What waits for a thread: how many, how long, and what a pool does about it. */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { application, type PoolInput, startServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

/** Long enough for a busy machine to begin what comes first. */
const WAIT_MS = 1_000;

const staged = application('server', 'staged');

async function start(t: ExecutionContext, pool: Omit<PoolInput, 'application'>) {
  const server = await startServer(t, {
    pools: {
      staged: { application: staged, ...pool },
      other: { application: staged, threads: { max: 1 } },
    },
  });
  const session = await connectHttp2(t, server.origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: server.signals.name });
  return { ...server, ask };
}

test.serial(
  'more than queue.maxExchanges is answered 503 with Retry-After; what waits within it is served',
  async (t) => {
    const { origin, signals, ask, log } = await start(t, {
      threads: { min: 1, max: 1 },
      exchangesPerThread: 1,
      queue: { maxExchanges: 2, maxWaitMs: 3_600_000 },
      retryAfterSeconds: 9,
    });
    const blocked = ask('/block');
    await signals.until('begun');
    const waiting = [ask('/run?id=-0'), ask('/run?id=-1')];
    const refused = await ask('/run?id=-2');
    t.deepEqual([refused.status, refused.headers['retry-after']], [503, '9']);
    t.is(refused.body.toString(), '503 Service Unavailable\n');
    const http1 = await requestHttp1(`${origin}/run?id=-3`);
    t.deepEqual([http1.status, http1.headers['retry-after']], [503, '9']);
    const told = await log.until('requests were refused with 503');
    t.true((told.queueFull as number) >= 1);
    signals.tell('release');
    t.is((await blocked).status, 200);
    t.deepEqual(
      (await Promise.all(waiting)).map(({ body }) => body.toString()),
      ['ran-0', 'ran-1'],
    );
    t.is(signals.heard('ran-2') + signals.heard('ran-3'), 0);
  },
);

test.serial('with queue.maxExchanges 0 a request that no thread can take at once is refused', async (t) => {
  const { signals, ask } = await start(t, {
    threads: { min: 1, max: 1 },
    exchangesPerThread: 2,
    queue: { maxExchanges: 0 },
  });
  const begun = [ask('/wait?id=-0'), ask('/wait?id=-1')];
  await Promise.all([signals.until('begun-0'), signals.until('begun-1')]);
  t.is((await ask('/run')).status, 503);
  signals.tell('release');
  t.deepEqual(
    (await Promise.all(begun)).map(({ status }) => status),
    [200, 200],
  );
  t.is((await ask('/run')).status, 200);
});

test.serial(
  'what has waited longer than queue.maxWaitMs is answered 503, in the queue and on a blocked thread',
  async (t) => {
    const { signals, ask } = await start(t, {
      threads: { min: 1, max: 1 },
      exchangesPerThread: 2,
      queue: { maxExchanges: 10, maxWaitMs: WAIT_MS },
      recallAfterMs: 5,
    });
    const blocked = ask('/block');
    await signals.until('begun');
    // The first is given to the thread, which does not begin it; the others queue.
    const refused = await Promise.all(['-0', '-1', '-2'].map((id) => ask(`/run?id=${id}`)));
    for (const { status, headers } of refused) t.deepEqual([status, headers['retry-after']], [503, '1']);
    signals.tell('release');
    t.is((await blocked).status, 200);
    t.is((await ask('/run?id=-after')).status, 200);
    for (const id of ['-0', '-1', '-2']) t.is(signals.heard(`ran${id}`), 0);
  },
);

test.serial('a begun exchange may take longer than queue.maxWaitMs', async (t) => {
  const { signals, ask } = await start(t, {
    threads: { min: 1, max: 1 },
    exchangesPerThread: 1,
    queue: { maxExchanges: 10, maxWaitMs: WAIT_MS },
    recallAfterMs: 1,
  });
  const begun = ask('/wait');
  await signals.until('begun');
  t.is((await ask('/run')).status, 503);
  signals.tell('release');
  t.is((await begun).status, 200);
});

test.serial('a pool grows to its maximum while work waits, and no further', async (t) => {
  const { signals, ask, log } = await start(t, {
    threads: { min: 1, max: 3 },
    exchangesPerThread: 1,
    queue: { maxExchanges: 10, maxWaitMs: 3_600_000 },
    idleTimeoutMs: 3_600_000,
  });
  const blocked: ReturnType<typeof ask>[] = [];
  for (let thread = 1; thread <= 3; thread++) {
    blocked.push(ask(`/block?id=-${thread}`));
    await signals.until(`begun-${thread}`);
  }
  const waiting = ask('/run');
  t.is((await ask('/other/run?id=other')).status, 200);
  t.is(signals.heard('ran'), 0);
  t.is(log.lines.filter(({ msg, pool }) => msg === 'thread started' && pool === 'staged').length, 3);
  signals.tell('release');
  t.is((await waiting).status, 200);
  for (const answer of blocked) t.is((await answer).status, 200);
});

test.serial('threads above the minimum end after idleTimeoutMs, and the minimum stays', async (t) => {
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): void => void workers.push(worker);
  process.on('worker', onWorker);
  t.teardown(() => process.off('worker', onWorker));
  const { signals, ask, log } = await start(t, {
    threads: { min: 1, max: 2 },
    exchangesPerThread: 1,
    idleTimeoutMs: 1,
  });
  const begun = ['-0', '-1'].map((id) => ask(`/wait?id=${id}`));
  await Promise.all([signals.until('begun-0'), signals.until('begun-1')]);
  const exits = Promise.any(workers.map((worker) => once(worker, 'exit')));
  signals.tell('release');
  for (const answer of begun) t.is((await answer).status, 200);
  await exits;
  t.is((await ask('/run')).status, 200);
  t.is(log.count('thread died'), 0);
});
