/** What a thread has answered reaches its client although the thread then computes for somebody else, or dies, however little lies between the two. */
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

async function start(t: ExecutionContext) {
  const { origin, signals } = await startServer(t, {
    pools: { gated: { application: application('faults', 'gated'), threads: { min: 1, max: 1 } } },
  });
  const session = await connectHttp2(t, origin);
  const field = { [SIGNALS_FIELD]: signals.name };
  const ask = (path: string) => request(session, { ':path': path, ...field });
  return { signals, session, field, ask };
}

for (const moment of ['microtask', 'timer', 'tick']) {
  test.serial(`answers that wait for something, before a computation in the same ${moment}`, async (t) => {
    const { signals, ask } = await start(t);
    for (let round = 1; round <= 5; round++) {
      const later = [ask('/later'), ask('/later'), ask('/later')];
      await signals.until('waiting', 3 * round);
      const heavy = ask(`/heavy-in-${moment}`);
      for (const { body } of await Promise.all(later)) t.is(body.toString(), 'later');
      await signals.until('begun', round);
      signals.tell('release');
      t.is((await heavy).body.toString(), 'heavy');
    }
  });
}

test.serial('responses reach the client although their thread dies in the same microtask', async (t) => {
  const { signals, ask } = await start(t);
  for (let round = 1; round <= 5; round++) {
    const later = [ask('/later'), ask('/later'), ask('/later')];
    await signals.until('waiting', 3 * round);
    const deadly = ask('/deadly');
    for (const { status, body } of await Promise.all(later))
      t.deepEqual([status, body.toString()], [200, 'later']);
    t.is((await deadly).status, 502);
  }
});

test.serial('responses leave at once, before a computation that was claimed with them', async (t) => {
  const { signals, ask } = await start(t);
  for (let round = 1; round <= 10; round++) {
    // So many that the thread takes them by the dozen.
    await Promise.all(Array.from({ length: 200 }, () => ask('/light')));
    const light = [ask('/light'), ask('/light'), ask('/light')];
    const heavy = ask('/heavy');
    for (const { body } of await Promise.all(light)) t.is(body.toString(), 'light');
    await signals.until('begun', round);
    signals.tell('release');
    t.is((await heavy).body.toString(), 'heavy');
  }
});

test.serial('responses that wait for another body leave before the computation that it starts', async (t) => {
  const { signals, session, field, ask } = await start(t);
  for (let round = 1; round <= 5; round++) {
    const heavy = session.request({ ':method': 'POST', ':path': '/heavy-at-body', ...field });
    const later = [ask('/later'), ask('/later'), ask('/later')];
    await signals.until('waiting', 4 * round);
    heavy.end('body');
    for (const { body } of await Promise.all(later)) t.is(body.toString(), 'later');
    await signals.until('begun', round);
    signals.tell('release');
    const [head] = await once(heavy, 'response');
    t.is(head[':status'], 200);
    heavy.resume();
    await once(heavy, 'end');
  }
});
