import test from 'ava';
import { hosted } from './scripted-outlet.ts';

test('pulling the body owes one window, and what was consumed is paid once per turn', async (t) => {
  const { outlet, exchange } = hosted(false);
  const pieces = exchange.body[Symbol.asyncIterator]();
  const first = pieces.next();
  t.true(outlet.owing.has(exchange));
  exchange.payCredit();
  t.deepEqual(outlet.take(), [['credit', 100, 0]]);
  for (const text of ['ab', 'cde', 'f']) exchange.onData(Buffer.from(text), false);
  await first;
  await pieces.next();
  await pieces.next();
  exchange.payCredit();
  exchange.payCredit();
  t.deepEqual(outlet.take(), [['credit', 5, 5]]);
});

test('credit that met a full ring is paid later, with what has come to it', async (t) => {
  const { outlet, exchange } = hosted(false);
  const pieces = exchange.body[Symbol.asyncIterator]();
  void pieces.next();
  outlet.full = true;
  exchange.payCredit();
  exchange.onData(Buffer.from('ab'), false);
  await null;
  void pieces.next();
  outlet.full = false;
  exchange.payCredit();
  t.deepEqual(outlet.take(), [['credit', 102, 2]]);
});

test('after the last piece only consumed bytes are told, as nothing more can cross', async (t) => {
  const { outlet, exchange } = hosted(false);
  const pieces = exchange.body[Symbol.asyncIterator]();
  const first = pieces.next();
  exchange.payCredit();
  outlet.take();
  exchange.onData(Buffer.from('abc'), true);
  await first;
  t.true((await pieces.next()).done);
  exchange.payCredit();
  t.deepEqual(outlet.take(), [['credit', 0, 3]]);
});

test('bytes that came before the application asked for its body are kept for it', async (t) => {
  const { exchange } = hosted(false);
  exchange.onData(Buffer.from('abc'), false);
  exchange.onData(Buffer.from('d'), true);
  t.is(await exchange.body.text(), 'abcd');
});

test('trailers are empty without a trailer section, known after its end, asked for before or after', async (t) => {
  const none = hosted(true).exchange;
  t.is((await none.trailers).size, 0);

  const ended = hosted(false).exchange;
  const before = ended.trailers;
  ended.onData(Buffer.from('x'), true);
  t.is((await before).size, 0);

  const some = hosted(false).exchange;
  some.onData(Buffer.from('x'), false);
  some.onTrailers(['sum', '7', 'x', '1', 'x', '2']);
  const after = await some.trailers;
  t.is(after.get('sum'), '7');
  t.deepEqual(after.all('x'), ['1', '2']);
  t.is(await some.body.text(), 'x');
});

test('the body is the same object every time', (t) => {
  const { exchange } = hosted(false);
  t.is(exchange.body, exchange.body);
});

test('messages after the end of the request change nothing', async (t) => {
  const { exchange } = hosted(false);
  exchange.onData(Buffer.from('abc'), true);
  exchange.onData(Buffer.from('def'), true);
  exchange.onTrailers(['late', '1']);
  t.is(await exchange.body.text(), 'abc');
  t.is((await exchange.trailers).size, 0);
});
