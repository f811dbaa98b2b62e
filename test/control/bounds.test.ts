/** What clients of the control, monitoring and admin listeners can take at most. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { BusyTime } from '../../runtime/control/busy-time.ts';
import { RequestRates } from '../../runtime/control/request-rates.ts';
import type { ControlRoutes } from '../../runtime/control/routes.ts';
import { GivingWay } from '../../runtime/listeners/giving-way.ts';
import { ownFolder, startControl } from './control-server.ts';

test('each client has a number of requests in a second, and of many clients the one that asked longest ago is forgotten', (t) => {
  const rates = new RequestRates(2, 1_024);
  const asked = (client: string, atMs: number, times: number) =>
    Array.from({ length: times }, () => rates.take(client, atMs));
  t.deepEqual(asked('one', 0, 3), [true, true, false]);
  t.deepEqual(asked('other', 0, 1), [true]);
  t.deepEqual(asked('one', 500, 2), [true, false], 'one has come again');
  t.deepEqual(asked('one', 10_000, 3), [true, true, false], 'no more than one second holds');
  for (let i = 0; i < 1_023; i++) rates.take(`client-${i}`, 10_000);
  t.deepEqual(asked('one', 10_000, 1), [false]);
  for (let i = 0; i < 1_024; i++) rates.take(`client-${i}`, 10_000);
  t.deepEqual(asked('one', 10_000, 1), [true], 'it is not remembered any more');
});

test('as many clients are remembered as the configuration says', (t) => {
  const rates = new RequestRates(1, 2);
  const take = (client: string) => rates.take(client, 0);
  t.deepEqual(['one', 'two', 'one', 'three', 'two'].map(take), [true, true, false, true, true]);
});

test('what handlers take beyond 50 ms is made up for by nine times as much waiting', (t) => {
  const busy = new BusyTime({ busyPercent: 10, busyBurstMs: 50 });
  busy.spend(50, 0);
  t.is(busy.waitMs(0), 0);
  busy.spend(1, 0);
  t.is(busy.waitMs(0), 10);
  t.true(busy.waitMs(9) > 0);
  t.is(busy.waitMs(11), 0);
  busy.spend(5, 11);
  t.true(busy.waitMs(11) >= 49);
  t.is(busy.waitMs(1_000_000), 0, 'what is not used is not saved');
  busy.spend(50, 1_000_000);
  t.is(busy.waitMs(1_000_000), 0);
});

test('the oldest connection of the address with the most makes room, unless it is kept', (t) => {
  const places = new GivingWay();
  const add = (address: string, port: number) => {
    const socket = new Socket();
    places.add(socket, { address, port, isUnix: false }, () => undefined);
    return socket;
  };
  t.is(places.next(), undefined);
  const single = add('192.0.2.1', 1);
  t.is(places.next()?.socket, single);
  const first = add('192.0.2.2', 1);
  t.is(places.next()?.socket, single, 'of as many at each the oldest');
  const second = add('192.0.2.2', 2);
  t.is(places.next()?.socket, first);
  places.keep('192.0.2.2', 1);
  t.is(places.next()?.socket, single);
  add('192.0.2.2', 3);
  t.is(places.next()?.socket, second);
  add('2001:db8::1', 1);
  const ipv6 = places;
  for (let host = 2; host < 5; host++) add(`2001:db8::${host}`, 1);
  t.is(ipv6.next()?.endpoint.address, '2001:db8::1', 'a /64 is one');
});

/** Answers when it is told to, and counts how often it was asked. */
function addHeld(routes: ControlRoutes) {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const held = { asked: 0, release };
  routes.add('GET', '/held', async (exchange) => {
    held.asked++;
    await promise;
    exchange.answer(200, 'held');
  });
  return held;
}

test('an HTTP/1.1 connection is answered one request at a time, however many it has sent', async (t) => {
  const { path, routes } = await startControl(t, ownFolder(t));
  const held = addHeld(routes);
  const socket = connect(path);
  const request = 'GET /held HTTP/1.1\r\nhost: x\r\n';
  socket.write(`${`${request}\r\n`.repeat(9)}${request}connection: close\r\n\r\n`);
  while (held.asked === 0) await new Promise((resolve) => setImmediate(resolve));
  t.is(held.asked, 1);
  held.release();
  t.is((await text(socket)).match(/"held"/g)?.length, 10);
});

test('an HTTP/2 connection has eight streams, and an answer counts for maxExchanges until its client has read it', async (t) => {
  const { path, routes, client } = await startControl(t, ownFolder(t), { maxExchanges: 1 });
  routes.add('GET', '/whole', (exchange) => exchange.answer(200, 'x'.repeat(100)));
  const lazy = connectHttp2('http://x', { path, settings: { initialWindowSize: 0 } });
  t.teardown(() => lazy.destroy());
  await once(lazy, 'remoteSettings');
  t.is(lazy.remoteSettings.maxConcurrentStreams, 8);
  const unread = lazy.request({ ':path': '/whole' });
  await once(unread, 'response');
  const other = await client();
  await t.throwsAsync(other.ask('GET', '/whole'), { code: 'SLUICE_CONTROL_BUSY' });
  lazy.settings({ initialWindowSize: 65_535 });
  t.is((await text(unread)).length, 103);
  t.is(await other.ask('GET', '/whole'), 'x'.repeat(100));
});

test('what is refused again and again over HTTP/2 ends the connection by the budget for that', async (t) => {
  const http2 = { budgets: { provokedResets: { burst: 3, perSecond: 0 } } };
  const { path, routes } = await startControl(t, ownFolder(t), { maxRequestsPerSecond: 1 }, { http2 });
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  const eager = connectHttp2('http://x', { path });
  t.teardown(() => eager.destroy());
  const closed = new Promise((resolve) => eager.once('goaway', resolve));
  eager.on('error', () => undefined);
  for (let i = 0; i < 50; i++) eager.request({ ':path': '/here' }).on('error', () => undefined);
  t.is(await closed, 11, 'ENHANCE_YOUR_CALM');
});

test('a request waits while those before it have taken more than a tenth of the time', async (t) => {
  const { routes, client } = await startControl(t, ownFolder(t));
  const begun: number[] = [];
  let endedMs = 0;
  routes.add('GET', '/dear', (exchange) => {
    begun.push(performance.now());
    while (performance.now() - (begun[0] as number) < 60);
    endedMs ||= performance.now();
    exchange.answer(200, 'dear');
  });
  const asked = await client();
  await asked.ask('GET', '/dear');
  await asked.ask('GET', '/dear');
  // Ten times the 10 ms beyond the burst, however fast or slow the machine is.
  t.true((begun[1] as number) - endedMs >= 90, `${(begun[1] as number) - endedMs} ms`);
});

// Serial, because it blocks the event loop that the other tests measure time on.
test.serial(
  'the configuration says how many streams a connection has, and what answers may take',
  async (t) => {
    const limits = { maxStreams: 2, busyPercent: 100, busyBurstMs: 10_000 };
    const { path, routes, client } = await startControl(t, ownFolder(t), limits);
    const session = connectHttp2('http://x', { path });
    t.teardown(() => session.destroy());
    await once(session, 'remoteSettings');
    t.is(session.remoteSettings.maxConcurrentStreams, 2);
    const begun: number[] = [];
    const ended: number[] = [];
    routes.add('GET', '/dear', (exchange) => {
      begun.push(performance.now());
      while (performance.now() - (begun.at(-1) as number) < 200);
      ended.push(performance.now());
      exchange.answer(200, 'dear');
    });
    const asked = await client();
    await Promise.all([asked.ask('GET', '/dear'), asked.ask('GET', '/dear')]);
    // With the default it would be ten times the 150 ms beyond the burst.
    t.true((begun[1] as number) - (ended[0] as number) < 1_000, 'the second one has not waited');
  },
);

test('a request whose client leaves while it waits does not run', async (t) => {
  const { path, routes, client, log } = await startControl(t, ownFolder(t));
  let hasRun = false;
  routes.add('GET', '/dear', (exchange) => {
    // 60 ms beyond the burst: the next request waits 600 ms, in which even a slow machine connects and leaves.
    const until = performance.now() + 110;
    while (performance.now() < until);
    exchange.answer(200, 'dear');
  });
  routes.add('GET', '/left', () => {
    hasRun = true;
  });
  routes.add('GET', '/cheap', (exchange) => exchange.answer(200, 'cheap'));
  const asked = await client();
  await asked.ask('GET', '/dear');
  const leaving = connectHttp2('http://x', { path });
  t.teardown(() => leaving.destroy());
  await once(leaving, 'remoteSettings');
  const left = leaving.request({ ':path': '/left' }).on('error', () => undefined);
  if (left.pending) await once(left, 'ready');
  // The server has read what came in front of it.
  await new Promise((resolve) => leaving.ping(resolve));
  leaving.destroy();
  // They wait as long as it would have.
  for (let i = 0; i < 5; i++) t.is(await asked.ask('GET', '/cheap'), 'cheap');
  t.false(hasRun);
  t.is(log.count('failed'), 0);
});
