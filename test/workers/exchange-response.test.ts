import test from 'ava';
import { Flag } from '../../wire/messages.ts';
import { HostError } from '../../workers/exchange/errors.ts';
import type { FieldsInit } from '../../workers/gateway.ts';
import { hosted } from './scripted-outlet.ts';

const whole = Flag.End | Flag.Final;
const refused = (code: string) => ({ instanceOf: HostError, code });

test('a small response is one message that ends everything when the request is in', async (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200, { a: 'b' }, 'hello');
  t.deepEqual(outlet.take(), [['head', whole, 200, ['a', 'b', 'content-length', '5'], 'hello']]);
  t.is(outlet.finishedTimes, 1);
  t.deepEqual(await exchange.closed, { by: 'application', how: 'complete', code: 0 });
  t.true(exchange.onReturn());
  t.deepEqual(outlet.take(), []);
});

test('while the request is open the response ends without Final, and Closed follows the request', (t) => {
  const { outlet, exchange } = hosted(false);
  exchange.respond(200, {}, 'hello');
  t.deepEqual(outlet.take(), [['head', Flag.End, 200, ['content-length', '5'], 'hello']]);
  t.true(exchange.isOpen);
  exchange.onData(Buffer.alloc(0), true);
  t.deepEqual(outlet.take(), [['closed']]);
  t.is(outlet.finishedTimes, 1);
});

test('an application that returns without reading ends the exchange', (t) => {
  const { outlet, exchange } = hosted(false);
  exchange.respond(200, {}, 'hello');
  outlet.take();
  t.true(exchange.onReturn());
  t.deepEqual(outlet.take(), [['closed']]);
  exchange.onData(Buffer.from('late'), true);
  t.deepEqual(outlet.take(), []);
  t.is(outlet.finishedTimes, 1);
});

test('a body beyond the credit or the record goes in pieces as credit comes', (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200, {}, 'abcdefghijklmnopqrstuvwxyz');
  t.deepEqual(outlet.take(), [
    ['head', 0, 200, ['content-length', '26'], null],
    ['data', 0, 'abcdefgh'],
    ['data', 0, 'ijklmnop'],
    ['data', 0, 'qrst'],
  ]);
  exchange.onCredit(1);
  t.deepEqual(outlet.take(), [['data', 0, 'u']]);
  exchange.onCredit(100);
  t.deepEqual(outlet.take(), [['data', whole, 'vwxyz']]);
  t.is(outlet.finishedTimes, 1);
});

test('fields and body too large for one message together go in two', (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200, { a: 'x'.repeat(127) }, 'hello');
  t.deepEqual(
    outlet.take().map(([kind, flags]) => [kind, flags]),
    [
      ['head', 0],
      ['data', whole],
    ],
  );
});

test('an interim response has no content-length (RFC 9110 section 8.6)', (t) => {
  const { outlet, exchange } = hosted(true);
  for (const value of ['5', '-1', '1e3', 0]) {
    t.throws(
      () => exchange.inform(103, { link: '<a>', 'Content-Length': value }),
      refused('SLUICE_FIELD_INVALID'),
    );
  }
  t.deepEqual(outlet.take(), []);
  exchange.inform(103, { link: '<a>' });
  t.is(outlet.take().length, 1);
});

test('fields that no message can carry are refused before anything is sent or changed', async (t) => {
  const { outlet, exchange } = hosted(true);
  const tooLarge = { a: 'x'.repeat(200) };
  t.throws(() => exchange.inform(103, tooLarge), refused('SLUICE_FIELD_INVALID'));
  t.throws(() => exchange.respond(200, tooLarge), refused('SLUICE_FIELD_INVALID'));
  t.throws(() => exchange.respond(200, tooLarge, 'x'), refused('SLUICE_FIELD_INVALID'));
  t.deepEqual(outlet.take(), []);
  exchange.respond(200);
  t.throws(() => exchange.end(tooLarge), refused('SLUICE_FIELD_INVALID'));
  await exchange.write('x');
  exchange.end({ a: '1' });
  t.deepEqual(outlet.take(), [
    ['head', 0, 200, [], null],
    ['data', 0, 'x'],
    ['trailers', Flag.Final, ['a', '1']],
  ]);
});

test('RFC 9110 section 6.5.1: fields that frame, route or type a message are refused as trailers', async (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200);
  await exchange.write('x');
  for (const name of ['Content-Length', 'content-type', 'Content-Encoding', 'host', 'trailer', 'set-cookie'])
    t.throws(() => exchange.end({ 'x-sum': '1', [name]: '1' }), refused('SLUICE_FIELD_INVALID'), name);
  exchange.end({ 'x-sum': '1' });
  t.deepEqual(outlet.take().at(-1), ['trailers', Flag.Final, ['x-sum', '1']]);
});

test('write resolves when the credit has let the whole piece go', async (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200);
  await exchange.write('a'.repeat(15));
  t.is(exchange.writableBytes, 5);
  let taken = false;
  const pending = exchange.write('b'.repeat(10)).then(() => {
    taken = true;
  });
  await null;
  t.is(exchange.writableBytes, 0);
  t.false(taken);
  exchange.onCredit(4);
  await null;
  t.false(taken);
  exchange.onCredit(1);
  await pending;
  t.is(
    outlet
      .take()
      .filter(([kind]) => kind === 'data')
      .map(([, , text]) => text)
      .join(''),
    'a'.repeat(15) + 'b'.repeat(10),
  );
});

test('everything that meets a full ring leaves in order once there is room', async (t) => {
  const { outlet, exchange } = hosted(true);
  outlet.full = true;
  exchange.inform(103, { link: '<a>' });
  exchange.inform(102);
  exchange.respond(200, { a: 'b' });
  const first = exchange.write('ab');
  const second = exchange.write('cd');
  exchange.end({ t: '1' });
  t.deepEqual(outlet.take(), []);
  outlet.full = false;
  exchange.pump();
  t.deepEqual(outlet.take(), [
    ['inform', 103, ['link', '<a>']],
    ['inform', 102, []],
    ['head', 0, 200, ['a', 'b'], null],
    ['data', 0, 'ab'],
    ['data', 0, 'cd'],
    ['trailers', Flag.Final, ['t', '1']],
  ]);
  await Promise.all([first, second]);
  t.is(outlet.finishedTimes, 1);
});

test('a response with its body that met a full ring is one message still', (t) => {
  const { outlet, exchange } = hosted(true);
  outlet.full = true;
  exchange.respond(200, {}, 'hello');
  outlet.full = false;
  exchange.pump();
  t.deepEqual(outlet.take(), [['head', whole, 200, ['content-length', '5'], 'hello']]);
  t.is(outlet.finishedTimes, 1);
});

test('a request that ends while the end of the response waits lets it carry Final', (t) => {
  const { outlet, exchange } = hosted(false);
  outlet.full = true;
  exchange.respond(200, {}, 'hello');
  exchange.onData(Buffer.alloc(0), true);
  outlet.full = false;
  exchange.pump();
  t.deepEqual(outlet.take(), [['head', whole, 200, ['content-length', '5'], 'hello']]);
  t.is(outlet.finishedTimes, 1);
});

test('calls out of order are refused with the code that says so', async (t) => {
  const { exchange } = hosted(true);
  await t.throwsAsync(exchange.write('x'), refused('SLUICE_RESPONSE_NOT_STARTED'));
  t.throws(() => exchange.end(), refused('SLUICE_RESPONSE_NOT_STARTED'));
  t.is(exchange.writableBytes, 0);
  exchange.respond(200);
  t.throws(() => exchange.respond(200), refused('SLUICE_RESPONSE_STARTED'));
  t.throws(() => exchange.inform(103), refused('SLUICE_RESPONSE_STARTED'));
  exchange.end();
  t.throws(() => exchange.respond(200), refused('SLUICE_RESPONSE_STARTED'));
  await t.throwsAsync(exchange.write('x'), refused('SLUICE_RESPONSE_ENDED'));
  t.throws(() => exchange.end(), refused('SLUICE_RESPONSE_ENDED'));
});

test('statuses outside their range are refused, and the exchange can still be answered', (t) => {
  const { outlet, exchange } = hosted(true);
  for (const status of [0, 100, 101, 199, 600, 200.5, Number.NaN, '200' as unknown as number]) {
    t.throws(() => exchange.respond(status), refused('SLUICE_STATUS_INVALID'), String(status));
  }
  for (const status of [99, 101, 200, 100.5, Number.NaN]) {
    t.throws(() => exchange.inform(status), refused('SLUICE_STATUS_INVALID'), String(status));
  }
  exchange.inform(100);
  exchange.inform(199);
  exchange.respond(599, {}, '');
  t.deepEqual(
    outlet.take().map((message) => message.slice(0, 3)),
    [
      ['inform', 100, []],
      ['inform', 199, []],
      ['head', whole, 599],
    ],
  );
});

test('answers to HEAD, 204 and 304 carry no content, whatever is written', async (t) => {
  const head = hosted(true, 'HEAD');
  head.exchange.respond(200, {}, 'hello');
  t.deepEqual(head.outlet.take(), [['head', whole, 200, ['content-length', '5'], null]]);
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    const { outlet, exchange } = hosted(true, method);
    exchange.respond(status, {});
    await exchange.write('dropped');
    exchange.end();
    t.deepEqual(outlet.take(), [
      ['head', 0, status, [], null],
      ['data', whole, ''],
    ]);
  }
  const noContent = hosted(true);
  noContent.exchange.respond(204, {}, '');
  t.deepEqual(noContent.outlet.take(), [['head', whole, 204, [], null]]);
});

test('what is written must match the declared content-length', async (t) => {
  const { exchange } = hosted(true);
  t.throws(() => exchange.respond(200, { 'content-length': 4 }, 'hello'), refused('SLUICE_FIELD_INVALID'));
  t.throws(() => exchange.respond(200, { 'content-length': '1, 2' }), refused('SLUICE_FIELD_INVALID'));
  exchange.respond(200, { 'content-length': 5 });
  await exchange.write('abc');
  await t.throwsAsync(exchange.write('def'), refused('SLUICE_FIELD_INVALID'));
  t.throws(() => exchange.end(), refused('SLUICE_FIELD_INVALID'));
  await exchange.write('de');
  exchange.end();
  await t.throwsAsync(exchange.write('f'), refused('SLUICE_RESPONSE_ENDED'));
});

test('an application that does not wait for its writes is refused at the backlog limit', async (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200);
  const all = [exchange.write('a'.repeat(70)), exchange.write('')];
  outlet.take();
  await t.throwsAsync(exchange.write('b'), refused('SLUICE_WRITE_BACKLOG'), 'fifty bytes wait already');
  await t.throwsAsync(all[0]!, refused('SLUICE_EXCHANGE_CLOSED'));
  t.deepEqual(outlet.take(), [['reset', Flag.Final, 2, 1]], 'the refused piece would be a hole in the body');
  exchange.onCredit(50);
  t.throws(() => exchange.end(), refused('SLUICE_EXCHANGE_CLOSED'));
  t.deepEqual(outlet.take(), []);
  t.is(outlet.finishedTimes, 1);
  t.false(exchange.onReturn());
  t.like(exchange.failure, { code: 'SLUICE_WRITE_BACKLOG' });
});

test('what waits may fill the backlog to its limit, and one piece may be larger', async (t) => {
  const { outlet, exchange } = hosted(true);
  exchange.respond(200);
  const all = [exchange.write('a'.repeat(90))];
  exchange.onCredit(50);
  all.push(exchange.write('b'.repeat(30)));
  exchange.onCredit(50);
  await Promise.all(all);
  exchange.end();
  const sent = outlet.take().map(([kind, , text]) => (kind === 'data' ? text : ''));
  t.is(sent.join(''), 'a'.repeat(90) + 'b'.repeat(30));
});

test('messages without bytes have a limit too', async (t) => {
  const { outlet, exchange } = hosted(true);
  outlet.full = true;
  for (let i = 0; i < 1024; i++) exchange.inform(103);
  t.throws(() => exchange.inform(103), refused('SLUICE_WRITE_BACKLOG'));

  const pieces = hosted(true);
  pieces.outlet.options.writeBacklogBytes = 1_000_000;
  pieces.exchange.respond(200);
  pieces.outlet.full = true;
  for (let i = 0; i < 1024; i++) void pieces.exchange.write('x');
  await t.throwsAsync(pieces.exchange.write('x'), refused('SLUICE_WRITE_BACKLOG'));
});

test('a call from within the fields of another is judged by what the exchange is then', async (t) => {
  const within = (call: () => unknown): FieldsInit => ({
    get a() {
      void call();
      return '1';
    },
  });
  const started = refused('SLUICE_RESPONSE_STARTED');
  const first = hosted(true);
  t.throws(
    () =>
      first.exchange.respond(
        200,
        within(() => first.exchange.respond(204, {}, '')),
        'x',
      ),
    started,
  );
  t.deepEqual(first.outlet.take(), [['head', whole, 204, [], null]]);
  t.is(first.outlet.finishedTimes, 1);

  const second = hosted(true);
  t.throws(
    () =>
      second.exchange.inform(
        103,
        within(() => second.exchange.respond(200, {}, 'x')),
      ),
    started,
  );
  t.is(second.outlet.take().length, 1);

  const third = hosted(true);
  third.exchange.respond(200);
  t.throws(() => third.exchange.end(within(() => third.exchange.end())), refused('SLUICE_RESPONSE_ENDED'));
  t.is(third.outlet.finishedTimes, 1);

  const fourth = hosted(true);
  t.throws(
    () =>
      fourth.exchange.respond(
        200,
        within(() => fourth.exchange.reset()),
      ),
    refused('SLUICE_EXCHANGE_CLOSED'),
  );
  t.is(fourth.outlet.take().length, 1);
});

test('after a cut a call says so, whatever it is given', async (t) => {
  const { exchange } = hosted(true);
  exchange.onReset(8, 'peer');
  const closed = refused('SLUICE_EXCHANGE_CLOSED');
  t.throws(() => exchange.respond(700 as number, null as never, 5 as never), closed);
  t.throws(() => exchange.inform('103' as never), closed);
  await t.throwsAsync(exchange.write(5 as never), closed);
  t.throws(() => exchange.end(5 as never), closed);
});

test('bytes that have gone before they could be sent fail the exchange, as nothing can take their place', async (t) => {
  for (const [what, go] of [
    ['transferred', (memory: ArrayBuffer) => void memory.transfer(0)],
    ['shrunk', (memory: ArrayBuffer) => memory.resize(25)],
    ['grown', (memory: ArrayBuffer) => memory.resize(40)],
  ] as const) {
    const { outlet, exchange } = hosted(true);
    const memory = new ArrayBuffer(30, { maxByteLength: 64 });
    exchange.respond(200);
    const written = exchange.write(new Uint8Array(memory));
    t.is(outlet.take().length, 4, 'twenty bytes of credit');
    go(memory);
    t.throws(() => exchange.onCredit(100), refused('SLUICE_VALUE_INVALID'), what);
    exchange.onFailure();
    t.deepEqual(outlet.take(), [['reset', Flag.Final, 2, 1]], what);
    await t.throwsAsync(written, refused('SLUICE_EXCHANGE_CLOSED'), what);
  }
});
