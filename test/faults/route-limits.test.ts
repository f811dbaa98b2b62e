/** Routes of one pool: how many exchanges of each may be with it at a time, and which of what waits goes first. */
import { BroadcastChannel } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { application, type ServerInput, startServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const staged = application('server', 'staged');

async function start(
  t: ExecutionContext,
  limits: { maxConcurrent?: number; maxHeld?: number; affinity?: string },
  pool: Partial<ServerInput['pools'][string]> = {},
) {
  const server = await startServer(t, {
    pools: { staged: { application: staged, threads: { min: 1, max: 1 }, ...pool } },
    routes: [
      { path: '/limited/*', pool: 'staged', ...limits },
      { path: '/*', pool: 'staged' },
    ],
  });
  const session = await connectHttp2(t, server.origin);
  const ask = (path: string, fields: Record<string, string> = {}, over = session) =>
    request(over, { ':path': path, [SIGNALS_FIELD]: server.signals.name, ...fields });
  return { ...server, ask };
}

test.serial(
  'requests beyond a route’s maxConcurrent wait, delay no other route, and are answered in turn',
  async (t) => {
    const { origin, signals, ask } = await start(
      t,
      { maxConcurrent: 2, maxHeld: 2 },
      { queue: { maxExchanges: 0 } },
    );
    const begun = [ask('/limited/wait?id=-0'), ask('/limited/wait?id=-1')];
    await Promise.all([signals.until('begun-0'), signals.until('begun-1')]);
    const held = [ask('/limited/run?id=-2'), ask('/limited/run?id=-3')];
    const refused = await ask('/limited/run?id=-4');
    t.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    const http1 = await requestHttp1(`${origin}/limited/run?id=-5`);
    t.deepEqual([http1.status, http1.headers['retry-after']], [503, '1']);
    for (let i = 0; i < 20; i++) t.is((await ask('/run?id=other')).status, 200);
    t.is(signals.heard('ran-2') + signals.heard('ran-3'), 0);
    signals.tell('release');
    for (const [index, answer] of (await Promise.all(held)).entries())
      t.is(answer.body.toString(), `ran-${index + 2}`);
    for (const { status } of await Promise.all(begun)) t.is(status, 200);
    t.is((await ask('/limited/run?id=-6')).status, 200);
    t.is(signals.heard('ran-4') + signals.heard('ran-5'), 0);
  },
);

test.serial('a client that goes while its request is held leaves its place to the next', async (t) => {
  const { origin, signals, ask } = await start(t, { maxConcurrent: 1, maxHeld: 1 });
  const begun = ask('/limited/wait?id=-0');
  await signals.until('begun-0');
  const leaving = await connectHttp2(t, origin);
  const left = leaving.request({ ':path': '/limited/run?id=-left', [SIGNALS_FIELD]: signals.name });
  left.on('error', () => undefined);
  left.close(8);
  // The server has read the reset when it answers what was sent after it.
  t.is((await ask('/run?id=after', {}, leaving)).status, 200);
  const held = ask('/limited/run?id=-1');
  t.is((await ask('/run?id=behind')).status, 200);
  signals.tell('release');
  t.is((await held).body.toString(), 'ran-1');
  t.is((await begun).status, 200);
  t.is(signals.heard('ran-left'), 0);
});

test.serial('a request that is held for longer than queue.maxWaitMs is answered 503', async (t) => {
  const { signals, ask } = await start(t, { maxConcurrent: 1 }, { queue: { maxWaitMs: 1_000 } });
  const begun = ask('/limited/wait');
  await signals.until('begun');
  t.is((await ask('/limited/run?id=-late')).status, 503);
  signals.tell('release');
  t.is((await begun).status, 200);
  t.is(signals.heard('ran-late'), 0);
});

test.serial(
  'the death of a thread makes room on the routes of the exchanges that it had begun',
  async (t) => {
    const { signals, ask, log } = await start(
      t,
      { maxConcurrent: 1 },
      { application: application('faults', 'deadly') },
    );
    const begun = ask('/limited/wait?id=-0');
    await signals.until('begun-0');
    const held = ask('/limited/run?id=-1');
    t.is((await ask('/exit')).status, 502);
    t.is((await begun).status, 502);
    t.is((await held).body.toString(), 'ran-1');
    t.is(log.count('thread died'), 1);
  },
);

test.serial(
  'of one connection’s waiting requests the most urgent begins first, and other connections wait no longer',
  async (t) => {
    const { origin, signals, ask } = await start(t, { maxConcurrent: 1 });
    const other = await connectHttp2(t, origin);
    const begun = ask('/limited/wait');
    await signals.until('begun');
    // Two connections' answers may pass each other; what the thread says does not.
    const order: string[] = [];
    const words = new BroadcastChannel(signals.name);
    t.teardown(() => words.close());
    words.onmessage = (message) => {
      const word = (message as { data: unknown }).data as string;
      if (word.startsWith('ran-')) order.push(word.slice('ran-'.length));
    };
    const asked: Promise<unknown>[] = [];
    const hold = async (id: string, urgency: number, over?: typeof other) => {
      const priority = { priority: `u=${urgency}` };
      asked.push(ask(`/limited/run?id=-${id}`, priority, over));
      // It has been read when this is answered.
      t.is((await ask('/run?id=read', {}, over)).status, 200);
    };
    await hold('a-late', 6);
    await hold('b-late', 7, other);
    await hold('a-usual', 3);
    await hold('b-urgent', 0, other);
    await hold('a-urgent', 1);
    signals.tell('release');
    await Promise.all(asked);
    await signals.until('ran-a-late');
    t.deepEqual(order, ['a-urgent', 'b-urgent', 'a-usual', 'b-late', 'a-late']);
    t.is((await begun).status, 200);
  },
);

test.serial('requests with the same value go to the same thread', async (t) => {
  const threads = new Map<string, Set<string>>();
  const { ask } = await start(
    t,
    { affinity: 'cookie:session' },
    {
      application: application('faults', 'thread-number'),
      threads: { min: 3, max: 3 },
      // A thread that a busy machine keeps from its core for so long would be passed over.
      recallAfterMs: 60_000,
    },
  );
  for (let round = 0; round < 5; round++) {
    for (let key = 0; key < 12; key++) {
      const { body } = await ask('/limited/', { cookie: `a=${round}; session=${key}` });
      const seen = threads.get(String(key)) ?? new Set();
      threads.set(String(key), seen.add(body.toString()));
    }
  }
  t.deepEqual(
    [...threads.values()].map(({ size }) => size),
    new Array(12).fill(1),
  );
  t.is(new Set([...threads.values()].flatMap((seen) => [...seen])).size, 3);
});
