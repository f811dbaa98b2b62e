/** The notification service on a live server: subscribing, sending, receiving by server push, and what must not be lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import * as client from '../../../apps/notify/client.ts';
import { FileScope, type Scope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { connectHttp2 } from '../../server/http2-client.ts';

const application = fileURLToPath(new URL('applications/crashing.ts', import.meta.url));
const scope = new FileScope();
let server: TestServer;
let directory: string;

/** Its threads take the file's name out of the environment when they start. */
function start(scope: Scope, file: string, threads = 2): Promise<TestServer> {
  process.env.SLUICE_NOTIFY_FILE = join(directory, file);
  return startServer(scope, { pools: { notify: { application, threads: { min: threads, max: threads } } } });
}

test.before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'notify-'));
  scope.teardown(() => rmSync(directory, { recursive: true }));
  server = await start(scope, 'shared.sqlite');
});
test.after.always(() => scope.end());

const session = (t: ExecutionContext, of: TestServer = server) =>
  connectHttp2(t, of.origin, { settings: { maxConcurrentStreams: 200 } });

/** Resolves with what was pushed once there is so much of it. */
function collector() {
  const pushed: client.Pushed[] = [];
  let waiting: { count: number; resolve: (pushed: client.Pushed[]) => void } | null = null;
  return {
    pushed,
    onPushed: (one: client.Pushed) => {
      pushed.push(one);
      if (waiting !== null && pushed.length >= waiting.count) waiting.resolve(pushed);
    },
    until: (count: number): Promise<client.Pushed[]> =>
      new Promise((resolve) => {
        waiting = { count, resolve };
        if (pushed.length >= count) resolve(pushed);
      }),
  };
}

const textOf = ({ body }: { readonly body: Buffer }): string => body.toString();

test('a thousand messages arrive on one monitoring exchange, each once, and are acknowledged', async (t) => {
  const agent = await session(t);
  const sender = await session(t);
  const { subscription, push } = await client.subscribe(agent);
  const { until, onPushed } = collector();
  const acknowledged: Promise<void>[] = [];
  const monitoring = client.monitor(agent, subscription, (one) => {
    onPushed(one);
    acknowledged.push(client.remove(agent, one.path));
  });
  const expected = Array.from({ length: 1_000 }, (_, n) => `message ${n}`);
  for (const text of expected) await client.send(sender, push, text, { ttl: 600, type: 'text/plain' });
  const pushed = await until(1_000);
  t.deepEqual([...pushed].map(textOf).sort(), [...expected].sort());
  t.is(new Set(pushed.map(({ path }) => path)).size, 1_000);
  await Promise.all(acknowledged);
  t.is(acknowledged.length, 1_000);
  monitoring.stop();
  const left = await client.monitor(agent, subscription, () => t.fail(), { wait: false }).over;
  t.is(left.status, 204);
});

test('a pushed message is what was sent, and names the resource that it was sent to', async (t) => {
  const agent = await session(t);
  const { subscription, push } = await client.subscribe(agent);
  const { until, onPushed } = collector();
  client.monitor(agent, subscription, onPushed);
  const { message } = await client.send(agent, push, Buffer.from([0, 255]), {
    ttl: 60,
    type: 'application/x-test',
  });
  const [one] = await until(1);
  t.is(one?.path, message);
  t.deepEqual(one?.body, Buffer.from([0, 255]));
  t.is(one?.status, 200);
  t.is(one?.headers['content-type'], 'application/x-test');
  t.is(one?.headers.link, `<${push}>; rel="urn:ietf:params:push"`);
  t.truthy(one?.headers['last-modified']);
  const again = await client.ask(agent, { ':path': message });
  t.deepEqual(again.body, Buffer.from([0, 255]), 'the promise was of a GET, and that is what a GET gives');
});

test('what is sent while nobody monitors waits; with wait=0 what there is comes, and then the end', async (t) => {
  const agent = await session(t);
  const { subscription, push } = await client.subscribe(agent);
  await client.send(agent, push, 'one', { ttl: 60 });
  await client.send(agent, push, 'not kept', { ttl: 0 });
  await client.send(agent, push, 'two', { ttl: 60, urgency: 'high' });
  const { pushed, onPushed } = collector();
  t.is((await client.monitor(agent, subscription, onPushed, { wait: false }).over).status, 200);
  t.deepEqual(pushed.map(textOf).sort(), ['one', 'two']);
  const urgent = collector();
  await client.monitor(agent, subscription, urgent.onPushed, { wait: false, urgency: 'high' }).over;
  t.deepEqual(urgent.pushed.map(textOf), ['two']);
});

test('a message of a topic replaces the one before; a set is monitored as one', async (t) => {
  const agent = await session(t);
  const one = await client.subscribe(agent);
  const two = await client.subscribe(agent, one.set);
  t.is(two.set, one.set);
  await client.send(agent, one.push, 'old', { ttl: 60, topic: 'score' });
  await client.send(agent, one.push, 'new', { ttl: 60, topic: 'score' });
  await client.send(agent, two.push, 'other', { ttl: 60 });
  const { pushed, onPushed } = collector();
  await client.monitor(agent, one.set, onPushed, { wait: false }).over;
  t.deepEqual(pushed.map(textOf).sort(), ['new', 'other']);
});

test('receipts are pushed to the sender: 204 for what was acknowledged, 410 for what was not', async (t) => {
  const agent = await session(t);
  const sender = await session(t);
  const { subscription, push } = await client.subscribe(agent);
  const first = await client.send(sender, push, 'one', { ttl: 60, receipt: true });
  const second = await client.send(sender, push, 'two', {
    ttl: 60,
    receipt: first.receipt as string,
    topic: 'a',
  });
  t.is(second.receipt, first.receipt, 'one receipt subscription is enough');
  const { until, onPushed, pushed } = collector();
  client.monitor(sender, first.receipt as string, onPushed);
  await client.remove(agent, first.message);
  await until(1);
  t.deepEqual([pushed[0]?.path, pushed[0]?.status], [first.message, 204]);
  await client.send(sender, push, 'three', { ttl: 60, topic: 'a' });
  await until(2);
  t.deepEqual([pushed[1]?.path, pushed[1]?.status], [second.message, 410]);
  await client.remove(sender, subscription);
});

test('a subscription that is deleted ends its monitoring, and is not sent to any more', async (t) => {
  const agent = await session(t);
  const { subscription, push } = await client.subscribe(agent);
  const { until, onPushed } = collector();
  const monitoring = client.monitor(agent, subscription, onPushed);
  await client.send(agent, push, 'first', { ttl: 60 });
  await until(1);
  await client.remove(agent, subscription);
  t.is((await monitoring.over).status, 200);
  const headers = { ':method': 'POST', ':path': push, ttl: '1' };
  t.is((await client.ask(agent, headers, 'x')).status, 404);
  t.is((await client.ask(agent, { ':path': subscription })).status, 404);
});

test('what is not a message is refused, each with its status and a word', async (t) => {
  const agent = await session(t);
  const { push } = await client.subscribe(agent);
  for (const [status, headers, body] of [
    [400, {}, 'x'],
    [400, { ttl: '-1' }, 'x'],
    [400, { ttl: 'soon' }, 'x'],
    [400, { ttl: '1', urgency: 'extreme' }, 'x'],
    [400, { ttl: '1', topic: 'no topic!' }, 'x'],
    [400, { ttl: '1', topic: 't'.repeat(33) }, 'x'],
    [413, { ttl: '1' }, 'x'.repeat(4_097)],
    [201, { ttl: '1', topic: 't'.repeat(32), urgency: 'very-low' }, 'x'.repeat(4_096)],
  ] as const) {
    const answer = await client.ask(agent, { ':method': 'POST', ':path': push, ...headers }, body);
    t.is(answer.status, status, JSON.stringify(headers));
    if (status !== 201) t.true(answer.body.length > 20);
  }
  for (const path of [
    '/notify/push/unknown',
    '/notify/message/unknown',
    '/notify/receipt/unknown',
    '/notify/set/x',
  ]) {
    const method = path.includes('push') ? 'POST' : 'GET';
    t.is((await client.ask(agent, { ':method': method, ':path': path, ttl: '1' })).status, 404);
  }
  t.is((await client.ask(agent, { ':method': 'PUT', ':path': push })).status, 405);
});

test('a peer that takes no pushes gets one message as the response, and names what it acknowledges', async (t) => {
  const agent = await session(t);
  const { subscription, push } = await client.subscribe(agent);
  const plain = await connectHttp2(t, server.origin, { settings: { enablePush: false } });
  const waiting = client.ask(plain, { ':path': subscription });
  const { message } = await client.send(agent, push, 'polled', { ttl: 60 });
  const polled = await waiting;
  t.deepEqual([polled.status, polled.headers['content-location'], textOf(polled)], [200, message, 'polled']);
  const http1 = await requestHttp1(`${server.origin}${subscription}`);
  t.deepEqual([http1.status, http1.headers['content-location'], textOf(http1)], [200, message, 'polled']);
  await client.remove(plain, message);
  t.is(
    (await requestHttp1(`${server.origin}${subscription}`, { headers: { prefer: 'wait=0' } })).status,
    204,
  );
});

// These two change where threads that start find their file.
test.serial(
  'a thread that dies loses no message, and one that arrives at another thread is heard',
  async (t) => {
    const own = await start(t, 'crash.sqlite');
    const agent = await session(t, own);
    const sender = await session(t, own);
    const { subscription, push } = await client.subscribe(agent);
    const { pushed, until, onPushed } = collector();
    let monitoring = client.monitor(agent, subscription, onPushed);
    // On two threads by turns, so that half of them are stored where nobody monitors.
    for (let n = 0; n < 20; n++) await client.send(sender, push, `before ${n}`, { ttl: 600 });
    await until(20);
    // Both threads, with whatever they have open.
    const killer = new BroadcastChannel(`crash ${process.env.SLUICE_NOTIFY_FILE}`);
    killer.postMessage('now');
    await monitoring.over.catch(() => undefined);
    killer.close();
    const again = collector();
    monitoring = client.monitor(agent, subscription, again.onPushed);
    for (let n = 0; n < 20; n++) {
      // Sent again when the thread died under it: the sender was not told that it is stored.
      for (;;) {
        const sent = await client.send(sender, push, `after ${n}`, { ttl: 600 }).catch(() => null);
        if (sent !== null) break;
      }
    }
    await again.until(40);
    const texts = new Set(again.pushed.map(textOf));
    for (let n = 0; n < 20; n++) t.true(texts.has(`before ${n}`) && texts.has(`after ${n}`), String(n));
    t.is(pushed.length, 20);
  },
);

test.serial(
  'a server that is stopped and started again has what was sent, and a monitoring ends with the drain',
  async (t) => {
    const first = await start(t, 'restart.sqlite', 1);
    const agent = await session(t, first);
    const { subscription, push } = await client.subscribe(agent);
    const { until, onPushed } = collector();
    const monitoring = client.monitor(agent, subscription, onPushed);
    await client.send(agent, push, 'before', { ttl: 600 });
    await until(1);
    const { receipt } = await client.send(agent, push, 'with a receipt', { ttl: 600, receipt: true });
    await until(2);
    const drained = first.server.drain();
    t.is((await monitoring.over).status, 200);
    await drained;
    const second = await start(t, 'restart.sqlite', 1);
    const later = await session(t, second);
    const again = collector();
    t.is((await client.monitor(later, subscription, again.onPushed, { wait: false }).over).status, 200);
    t.deepEqual(again.pushed.map(textOf).sort(), ['before', 'with a receipt']);
    t.is((await client.monitor(later, receipt as string, () => t.fail(), { wait: false }).over).status, 204);
  },
);

test('it has a page', async (t) => {
  const { status, body } = await requestHttp1(`${server.origin}/notify`);
  t.is(status, 200);
  t.regex(body.toString(), /RFC 8030/);
});
