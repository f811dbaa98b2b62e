import test from 'ava';
import { HostedExchange } from '../../workers/exchange/exchange.ts';
import { ReceivedFields } from '../../workers/fields/received.ts';
import { ScriptedOutlet } from './scripted-outlet.ts';

function hosted(takesPushes = true) {
  const outlet = new ScriptedOutlet();
  const request = {
    method: 'GET',
    scheme: 'http',
    authority: 'example.org',
    path: '/',
    protocol: '',
    version: '2',
    remote: { address: '127.0.0.1', port: 1 },
    tls: null,
    priority: { urgency: 3, incremental: false },
    fields: new ReceivedFields([]),
  };
  const exchange = new HostedExchange(outlet, 3, request, true, takesPushes);
  const pushed = new HostedExchange(outlet, 4, request, true);
  return { outlet, exchange, pushed };
}

test('a push is asked for once, with GET unless told otherwise, and is given when it is promised', async (t) => {
  const { outlet, exchange, pushed } = hosted();
  const first = exchange.push({ path: '/a', fields: { Accept: 'x' } });
  const second = exchange.push({ path: '/b?c', method: 'HEAD' });
  t.deepEqual(outlet.take(), [
    ['push', 1, 'GET', '/a', ['accept', 'x']],
    ['push', 2, 'HEAD', '/b?c', []],
  ]);
  exchange.pushes?.refused(1);
  t.true(exchange.pushes?.promised(2, pushed));
  t.is(await first, null);
  t.is(await second, pushed);
  t.false(exchange.pushes?.promised(2, pushed), 'nobody waits any more');
});

test('a push that meets a full ring keeps its place among what is sent', (t) => {
  const { outlet, exchange } = hosted();
  outlet.full = true;
  void exchange.push({ path: '/a' });
  exchange.respond(200, {}, 'x');
  outlet.full = false;
  exchange.pump();
  t.deepEqual(
    outlet.take().map(([kind]) => kind),
    ['push', 'head'],
  );
});

test('where the peer takes none, or the exchange is over, a push is null and nothing is sent', async (t) => {
  const without = hosted(false);
  t.is(await without.exchange.push({ path: '/a' }), null);
  t.deepEqual(without.outlet.take(), []);
  const cut = hosted();
  cut.exchange.onReset(8, 'peer');
  t.is(await cut.exchange.push({ path: '/a' }), null);
  const pending = hosted();
  const waiting = pending.exchange.push({ path: '/a' });
  pending.exchange.onReset(8, 'peer');
  t.is(await waiting, null);
});

test('a request that cannot be promised is refused by its rule, whether the peer takes pushes or not', async (t) => {
  for (const takes of [true, false]) {
    const { outlet, exchange } = hosted(takes);
    for (const wrong of [
      { path: 'a' },
      { path: '' },
      { path: '/a b' },
      { path: '/a#b' },
      { path: '/a\r\nb: c' },
      { path: '/', method: 'POST' as 'GET' },
      { path: '/', fields: { 'content-length': 1 } },
      { path: '/', fields: { host: 'other.test' } },
    ]) {
      const error = await t.throwsAsync(exchange.push(wrong), undefined, JSON.stringify(wrong));
      t.is((error as { code?: string }).code, 'SLUICE_PUSH_INVALID');
    }
    const field = await t.throwsAsync(exchange.push({ path: '/', fields: { connection: 'close' } }));
    t.is((field as { code?: string }).code, 'SLUICE_FIELD_INVALID');
    t.deepEqual(outlet.take(), []);
  }
});

test('after the end of the response a push is the application’s mistake', async (t) => {
  const { exchange } = hosted();
  exchange.respond(200, {}, 'x');
  const error = await t.throwsAsync(exchange.push({ path: '/a' }));
  t.is((error as { code?: string }).code, 'SLUICE_RESPONSE_ENDED');
});

test('when the application’s function is over, pushes without a complete response are reset and the others stay', async (t) => {
  const { outlet, exchange, pushed } = hosted();
  const whole = new HostedExchange(outlet, 5, exchange.request, true);
  void exchange.push({ path: '/a' });
  void exchange.push({ path: '/b' });
  const waiting = exchange.push({ path: '/c' });
  exchange.pushes?.promised(1, pushed);
  exchange.pushes?.promised(2, whole);
  whole.respond(200, {}, 'x');
  outlet.take();
  exchange.pushes?.returned();
  t.deepEqual(outlet.take(), [['reset', 2, 8, 0]]);
  t.is(await waiting, null);
});

test('pushes that nobody waits for meet a limit', async (t) => {
  const { exchange } = hosted();
  for (let i = 0; i < 1024; i++) void exchange.push({ path: '/' });
  const error = await t.throwsAsync(exchange.push({ path: '/' }));
  t.is((error as { code?: string }).code, 'SLUICE_WRITE_BACKLOG');
});

test('a push that was asked for before the response was complete is given, and the exchange is over behind it', async (t) => {
  const { outlet, exchange, pushed } = hosted();
  const first = exchange.push({ path: '/a' });
  const second = exchange.push({ path: '/b' });
  exchange.respond(200, {}, 'x');
  t.is(outlet.finishedTimes, 0);
  exchange.pushes?.refused(2);
  t.is(await second, null);
  t.is(outlet.finishedTimes, 0);
  exchange.pushes?.promised(1, pushed);
  t.is(await first, pushed);
  t.is(outlet.finishedTimes, 1);
  t.deepEqual(
    outlet.take().map(([kind]) => kind),
    ['push', 'push', 'head', 'closed'],
  );
  t.deepEqual(await exchange.closed, { by: 'application', how: 'complete', code: 0 });
});

test('one that is not answered when the application’s function is over holds nothing up', async (t) => {
  const { outlet, exchange } = hosted();
  const waiting = exchange.push({ path: '/a' });
  exchange.respond(200, {}, 'x');
  t.true(exchange.onReturn());
  exchange.pushes?.returned();
  t.is(await waiting, null);
  t.is(outlet.finishedTimes, 1);
});

test('a push that no message can carry is refused, whether the peer takes pushes or not, and what follows goes on', async (t) => {
  const path = `/${'x'.repeat(200)}`;
  for (const takes of [true, false]) {
    const { outlet, exchange } = hosted(takes);
    for (const wrong of [{ path }, { path: '/a', fields: { a: path } }, { path, fields: { a: path } }]) {
      const error = await t.throwsAsync(exchange.push(wrong));
      t.is((error as { code?: string }).code, 'SLUICE_PUSH_INVALID');
      t.regex(String(error?.message), /at most 400 bytes,.* got \d+$/);
    }
    t.deepEqual(outlet.take(), []);
    exchange.respond(200, {}, 'x');
    t.is(outlet.finishedTimes, 1);
  }
});
