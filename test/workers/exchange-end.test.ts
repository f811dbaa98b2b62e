import { once } from 'node:events';
import test from 'ava';
import { Flag, ResetReason } from '../../wire/messages.ts';
import { HostError } from '../../workers/exchange/errors.ts';
import type { HostedExchange } from '../../workers/exchange/exchange.ts';
import { hosted } from './scripted-outlet.ts';

const closedError = { instanceOf: HostError, code: 'SLUICE_EXCHANGE_CLOSED' };

test('a reset by the peer is told by signal, closed, the body, trailers and every write that waits', async (t) => {
  const { outlet, exchange } = hosted(false);
  exchange.respond(200);
  const { signal, closed, trailers } = exchange;
  const aborted = once(signal, 'abort');
  const read = exchange.body.next();
  const writes = [exchange.write('x'.repeat(40)), exchange.write('y')];
  outlet.take();
  exchange.onReset(8, 'peer');
  t.deepEqual(outlet.take(), [['reset', Flag.Final, 8, ResetReason.Application]]);
  await aborted;
  t.like(signal.reason, { code: 'SLUICE_EXCHANGE_CLOSED', closedBy: 'peer', resetCode: 8 });
  t.deepEqual(await closed, { by: 'peer', how: 'reset', code: 8 });
  for (const waiting of [read, trailers, ...writes]) await t.throwsAsync(waiting, closedError);
  t.is(outlet.finishedTimes, 1);
});

test('signal, closed, body and trailers say the same when they are looked at after a reset', async (t) => {
  const { exchange } = hosted(false);
  exchange.onReset(11, 'server');
  t.true(exchange.signal.aborted);
  t.like(exchange.signal.reason, { closedBy: 'server', resetCode: 11 });
  t.deepEqual(await exchange.closed, { by: 'server', how: 'reset', code: 11 });
  await t.throwsAsync(exchange.body.text(), closedError);
  await t.throwsAsync(exchange.trailers, closedError);
  await t.throwsAsync(exchange.write('x'), closedError);
  t.throws(() => exchange.respond(200), closedError);
  t.throws(() => exchange.inform(103), closedError);
  t.throws(() => exchange.end(), closedError);
});

test('after a complete response the signal does not abort and closed says complete', async (t) => {
  const { exchange } = hosted(true);
  exchange.respond(200, {}, 'x');
  t.false(exchange.signal.aborted);
  t.like(await exchange.closed, { by: 'application', how: 'complete' });
  exchange.onReset(8, 'peer');
  exchange.reset();
  exchange.onFailure();
  t.false(exchange.signal.aborted);
});

test('the exchange ends once, whoever ends it first', (t) => {
  for (const [first, second] of [
    ['reset', 'onFailure'],
    ['onFailure', 'reset'],
    ['peer', 'reset'],
    ['reset', 'peer'],
  ]) {
    const { outlet, exchange } = hosted(false);
    for (const how of [first, second]) {
      if (how === 'reset') exchange.reset();
      else if (how === 'peer') exchange.onReset(8, 'peer');
      else exchange.onFailure();
    }
    t.is(outlet.take().length, 1);
    t.is(outlet.finishedTimes, 1);
  }
});

test('nothing is sent after the end: no credit, no data, no second end', (t) => {
  const { outlet, exchange } = hosted(false);
  void exchange.body.next().catch(() => undefined);
  exchange.respond(200);
  exchange.reset();
  outlet.take();
  exchange.payCredit();
  exchange.pump();
  exchange.onCredit(100);
  exchange.onData(Buffer.from('x'), true);
  exchange.onTrailers(['a', '1']);
  t.true(exchange.onReturn());
  t.deepEqual(outlet.take(), []);
});

test('writes that nobody awaits do not leave unhandled rejections when the peer goes away', async (t) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  const { exchange } = hosted(false);
  exchange.respond(200);
  void exchange.write('x'.repeat(30));
  void exchange.write('y');
  exchange.onReset(8, 'peer');
  void exchange.write('z');
  // Unhandled rejections are reported between the microtasks and the next macrotask.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  t.deepEqual(unhandled, []);
});

test('reset takes an HTTP/2 error code and refuses what is none', (t) => {
  const { outlet, exchange } = hosted(true);
  for (const code of [-1, 1.5, 2 ** 32, Number.NaN, '8' as unknown as number]) {
    t.throws(
      () => exchange.reset(code),
      { instanceOf: HostError, code: 'SLUICE_RESET_CODE_INVALID' },
      String(code),
    );
  }
  t.true(exchange.isOpen);
  exchange.reset(2 ** 32 - 1);
  t.deepEqual(outlet.take(), [['reset', Flag.Final, 2 ** 32 - 1, ResetReason.Application]]);
});

test('an application that returns early has not answered, one that throws is reset with INTERNAL_ERROR', (t) => {
  for (const started of [false, true]) {
    const { outlet, exchange } = hosted(true);
    if (started) exchange.respond(200);
    t.false(exchange.onReturn());
    outlet.take();
    exchange.onFailure();
    t.deepEqual(outlet.take(), [['reset', Flag.Final, 2, ResetReason.Threw]]);
    t.like(exchange.signal.reason, { closedBy: 'application', resetCode: 2 });
  }
});

test('an application that throws after its whole response has changed nothing', (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200, {}, 'x');
  outlet.take();
  exchange.onFailure();
  t.deepEqual(outlet.take(), []);
});

/** What `await using` calls, which Node 22 cannot parse. */
const leave = (scope: AsyncDisposable): PromiseLike<void> => scope[Symbol.asyncDispose]();

test('leaving the scope of an exchange that is not complete resets it', async (t) => {
  const { outlet, exchange } = hosted(false);
  exchange.respond(200);
  await leave(exchange);
  t.deepEqual(outlet.take().at(-1), ['reset', Flag.Final, 8, ResetReason.Application]);
  t.like(await exchange.closed, { by: 'application', how: 'reset' });
});

test('leaving the scope of a complete exchange waits for nothing that nobody reads', async (t) => {
  const { outlet, exchange } = hosted(false);
  exchange.respond(200, {}, 'x');
  await leave(exchange);
  t.deepEqual(outlet.take().at(-1), ['closed']);
  t.like(await exchange.closed, { how: 'complete' });
  await t.throwsAsync(exchange.body.text(), closedError);
});

test('leaving the scope while the response waits for credit waits for it', async (t) => {
  const { exchange } = hosted(true);
  exchange.respond(200, {}, 'x'.repeat(30));
  let left = false;
  const leaving = leave(exchange).then(() => {
    left = true;
  });
  await null;
  t.false(left);
  exchange.onCredit(10);
  await leaving;
  t.true(left);
});

test('the promise of trailers settles when nobody reads the request', async (t) => {
  const { exchange } = hosted(false);
  const { trailers } = exchange;
  exchange.respond(200, {}, 'x');
  exchange.onReturn();
  await t.throwsAsync(trailers, closedError);
});

test('a request is whole though the response has ended: body and trailers stay readable', async (t) => {
  const { outlet, exchange } = hosted(false);
  const read = exchange.body.text();
  exchange.respond(200, {}, 'x');
  exchange.onData(Buffer.from('abc'), false);
  exchange.onTrailers(['sum', '7']);
  t.deepEqual(outlet.take().at(-1), ['closed']);
  t.is(await read, 'abc');
  t.is((await exchange.trailers).get('sum'), '7');
});

test('a send that breaks off in the middle fails the exchange, whether the application hears of it or not', async (t) => {
  const error = new RangeError('at the end of the stack');
  const calls: readonly [what: string, call: (exchange: HostedExchange) => unknown, begun: boolean][] = [
    ['inform', (exchange) => exchange.inform(103), false],
    ['respond', (exchange) => exchange.respond(200), false],
    ['respond whole', (exchange) => exchange.respond(200, {}, 'x'), false],
    ['respond whole, in pieces', (exchange) => exchange.respond(200, {}, 'x'.repeat(20)), false],
    ['pad', (exchange) => exchange.pad(16), false],
    ['write', (exchange) => exchange.write('x'), true],
    ['end', (exchange) => exchange.end(), true],
    ['end with trailers', (exchange) => exchange.end({ a: '1' }), true],
  ];
  for (const [what, call, begun] of calls) {
    const { outlet, exchange } = hosted(true);
    if (begun) exchange.respond(200);
    outlet.take();
    outlet.error = error;
    t.is(
      t.throws(() => call(exchange)),
      error,
      what,
    );
    outlet.error = null;
    t.deepEqual(outlet.take(), [['reset', Flag.Final, 2, ResetReason.Threw]], what);
    t.like(await exchange.closed, { by: 'application', how: 'reset' });
    t.false(exchange.onReturn(), what);
    t.is(exchange.failure, error, what);
  }
});

test('where not even a reset can be sent, the exchange fails when its function is over', (t) => {
  const { outlet, exchange } = hosted(true);
  outlet.error = new RangeError('at the end of the stack');
  outlet.errorOfReset = new RangeError('at the end of the stack');
  t.throws(() => exchange.respond(200, {}, 'x'), { instanceOf: RangeError });
  outlet.error = outlet.errorOfReset = null;
  t.false(exchange.onReturn());
  exchange.onFailure();
  t.deepEqual(outlet.take(), [['reset', Flag.Final, 2, ResetReason.Threw]]);
});
