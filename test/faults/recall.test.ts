/** A thread that computes for long: what it has not begun moves to an idle thread, what it has begun stays with it. */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const staged = application('server', 'staged');

test.serial('the unbegun exchanges of a blocked thread are served by the idle one, each once', async (t) => {
  const { origin, signals } = await startServer(t, {
    pools: { staged: { application: staged, threads: { min: 2, max: 2 }, recallAfterMs: 1 } },
  });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  // Every thread has one that it has begun and that does not hold it.
  const begun = [ask('/wait?id=-0'), ask('/wait?id=-1')];
  await Promise.all([signals.until('begun-0'), signals.until('begun-1')]);
  const blocked = ask('/block?id=ed');
  await signals.until('beguned');
  const names = Array.from({ length: 40 }, (_, index) => `-${index}`);
  const answers = await Promise.all(names.map((name) => ask(`/run?id=${name}`)));
  for (const [index, name] of names.entries()) {
    t.deepEqual([answers[index].status, answers[index].body.toString()], [200, `ran${name}`]);
  }
  signals.tell('release');
  t.is((await blocked).body.toString(), 'releaseded');
  t.deepEqual(
    (await Promise.all(begun)).map(({ body }) => body.toString()),
    ['released-0', 'released-1'],
  );
  // The thread that was blocked is back and finds what was taken from it gone.
  const after = await Promise.all(names.map((name) => ask(`/run?id=${name}-after`)));
  t.true(after.every(({ status }) => status === 200));
  for (const name of names) {
    // It comes another way than the answer.
    await signals.until(`ran${name}`);
    t.is(signals.heard(`ran${name}`), 1, name);
  }
});

test.serial('a request body waits with its exchange and crosses to the thread that begins it', async (t) => {
  const { origin, signals } = await startServer(t, {
    pools: {
      mixed: { application: application('faults', 'mixed'), threads: { min: 2, max: 2 }, recallAfterMs: 1 },
    },
  });
  const session = await connectHttp2(t, origin);
  const field = { [SIGNALS_FIELD]: signals.name };
  const blocked = request(session, { ':path': '/block', ...field });
  await signals.until('begun');
  const bodies = Array.from({ length: 20 }, (_, index) => Buffer.alloc(30_000, index + 1));
  const answers = await Promise.all(
    bodies.map((body) => request(session, { ':method': 'POST', ':path': '/echo', ...field }, body)),
  );
  for (const [index, { body }] of answers.entries()) t.true(body.equals(bodies[index]));
  signals.tell('release');
  t.is((await blocked).status, 200);
});

test.serial(
  'a pool grows when its only thread is blocked, and the new thread takes what waits',
  async (t) => {
    const { origin, signals, log } = await startServer(t, {
      pools: { staged: { application: staged, threads: { min: 1, max: 2 }, recallAfterMs: 1 } },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    const blocked = ask('/block');
    await signals.until('begun');
    t.is((await ask('/run')).body.toString(), 'ran');
    t.is(log.count('thread started'), 2);
    signals.tell('release');
    t.is((await blocked).status, 200);
  },
);

test.serial(
  'an exchange that its client resets before a thread has begun it does not reach the application',
  async (t) => {
    const { origin, signals } = await startServer(t, {
      pools: {
        staged: { application: staged, threads: { min: 1, max: 1 }, recallAfterMs: 1 },
        other: { application: staged, threads: { min: 1, max: 1 } },
      },
    });
    const session = await connectHttp2(t, origin);
    const field = { [SIGNALS_FIELD]: signals.name };
    const blocked = request(session, { ':path': '/block', ...field });
    await signals.until('begun');
    const withdrawn = session.request({ ':path': '/run?id=withdrawn', ...field });
    withdrawn.on('error', () => undefined);
    withdrawn.close(8);
    // The server has read the reset when it answers what was sent after it.
    t.is((await request(session, { ':path': '/other/run?id=after', ...field })).status, 200);
    signals.tell('release');
    t.is((await blocked).status, 200);
    t.is((await request(session, { ':path': '/run?id=next', ...field })).status, 200);
    t.is(signals.heard('ranwithdrawn'), 0);
  },
);

test.serial(
  'a thread that computes after its response gets no exchange that another can begin',
  async (t) => {
    const { origin, signals } = await startServer(t, {
      pools: { staged: { application: staged, threads: { min: 2, max: 2 }, recallAfterMs: 1 } },
    });
    const session = await connectHttp2(t, origin);
    const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
    const begun = signals.until('begun-behind');
    t.is((await ask('/answer-then-block?id=-behind')).body.toString(), 'answered');
    await begun;
    // The first of them may wake the blocked thread in vain; it is known then.
    for (let index = 0; index < 20; index++) t.is((await ask(`/run?id=-${index}`)).status, 200);
    signals.tell('release');
    const names = Array.from({ length: 20 }, (_, index) => `-${index}-after`);
    const after = await Promise.all(names.map((name) => ask(`/run?id=${name}`)));
    t.true(after.every(({ status }) => status === 200));
  },
);
