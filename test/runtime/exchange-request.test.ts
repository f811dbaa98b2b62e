import test from 'ava';
import { Flag, ResetBy } from '../../wire/messages.ts';
import { ExchangeBench } from './exchange-bench.ts';

const bytes = (text: string) => Buffer.from(text);

/** An exchange that its thread has begun, with the request's body still to come. */
function begun(options = {}) {
  const bench = new ExchangeBench(options);
  bench.addThread();
  const exchange = bench.exchange(false, 'POST');
  bench.atThread();
  const slot = exchange.job.slot;
  return { bench, exchange, slot, host: bench.hosts[0]!, transport: bench.transport };
}

test('the whole head crosses in one message, with End when the request has no body', (t) => {
  const bench = new ExchangeBench();
  bench.addThread();
  const exchange = bench.exchange(true);
  const [open, ...rest] = bench.atThread();
  t.deepEqual(rest, []);
  t.deepEqual(open?.toSpliced(11, 1).slice(0, 12), [
    'open',
    exchange.job.slot,
    exchange.job.generation,
    Flag.End,
    'GET',
    'https',
    'example.org',
    '/a?b',
    '2',
    '127.0.0.1',
    4711,
    ['accept', '*/*'],
  ]);
});

test('no body byte crosses before the application grants credit, and no more than it grants', (t) => {
  const { bench, exchange, slot, host } = begun();
  exchange.onRequestData(bytes('abcdef'), 0, 6, false);
  t.deepEqual(bench.atThread(), []);
  host.sendCredit(slot, 4, 0);
  bench.fromThread();
  t.deepEqual(bench.atThread(), [['data', slot, 0, 'abcd']]);
  exchange.onRequestData(bytes('gh'), 0, 2, true);
  t.deepEqual(bench.atThread(), []);
  host.sendCredit(slot, 100, 4);
  bench.fromThread();
  t.deepEqual(bench.atThread(), [['data', slot, Flag.End, 'efgh']]);
  t.is(bench.transport.consumedBytes, 4, 'only what was consumed goes back to the peer');
});

test('with credit at hand the bytes cross at once, and a body larger than a record in pieces', (t) => {
  const { bench, exchange, slot, host } = begun({ ringBytes: 1024 });
  host.sendCredit(slot, 1000, 0);
  bench.fromThread();
  exchange.onRequestData(bytes('..abc'), 2, 5, false);
  t.deepEqual(bench.atThread(), [['data', slot, 0, 'abc']]);
  exchange.onRequestData(bytes('x'.repeat(300)), 0, 300, true);
  t.deepEqual(bench.atThread(), [
    ['data', slot, 0, 'x'.repeat(256)],
    ['data', slot, Flag.End, 'x'.repeat(44)],
  ]);
});

test('an empty last piece and trailers end the request, after all that waits', (t) => {
  const first = begun();
  first.exchange.onRequestData(bytes(''), 0, 0, true);
  t.deepEqual(first.bench.atThread(), [['data', first.slot, Flag.End, '']]);

  const second = begun();
  second.exchange.onRequestData(bytes('ab'), 0, 2, false);
  second.exchange.onRequestTrailers(['sum', '7']);
  t.deepEqual(second.bench.atThread(), []);
  second.host.sendCredit(second.slot, 10, 0);
  second.bench.fromThread();
  t.deepEqual(second.bench.atThread(), [
    ['data', second.slot, 0, 'ab'],
    ['trailers', second.slot, ['sum', '7']],
  ]);
});

test('trailers that came before the thread did follow the head, without credit', (t) => {
  const bench = new ExchangeBench();
  const exchange = bench.exchange(false, 'POST');
  exchange.onRequestTrailers(['sum', '7']);
  bench.addThread();
  const kinds = bench.atThread().map(([kind]) => kind);
  t.deepEqual(kinds, ['open', 'trailers']);

  const behindContent = new ExchangeBench();
  const other = behindContent.exchange(false, 'POST');
  other.onRequestData(bytes('ab'), 0, 2, false);
  other.onRequestTrailers(['sum', '7']);
  behindContent.addThread();
  t.deepEqual(
    behindContent.atThread().map(([kind]) => kind),
    ['open'],
    'the content is asked for first',
  );
});

test('trailers are sent again to the thread that an exchange moves to', (t) => {
  const bench = new ExchangeBench();
  const victim = bench.addThread();
  const exchange = bench.exchange(false, 'POST');
  exchange.onRequestTrailers(['sum', '7']);
  t.true(victim.takeBack(exchange.job));
  bench.dispatcher.threads.length = 0;
  bench.dispatcher.resubmit([exchange.job]);
  bench.addThread();
  t.deepEqual(
    bench.atThread(1).map(([kind]) => kind),
    ['open', 'trailers'],
  );
});

test('early trailers that met a full ring leave when there is room', (t) => {
  const bench = new ExchangeBench({ ringBytes: 1024 });
  const sum = ['sum', '7'.repeat(120)];
  const exchanges = Array.from({ length: 6 }, () => bench.exchange(false, 'POST'));
  for (const exchange of exchanges) exchange.onRequestTrailers(sum);
  bench.addThread(6);
  const first = bench.atThread().map(([kind]) => kind);
  t.is(first.at(-1), 'open', 'the ring was full behind it');
  const kinds = [...first];
  for (let turn = 0; turn < 6; turn++) {
    bench.fromThread();
    kinds.push(...bench.atThread().map(([kind]) => kind));
  }
  t.deepEqual(kinds.sort(), [...Array(6).fill('open'), ...Array(6).fill('trailers')]);
});

test('what met a full ring leaves in order when there is room', (t) => {
  const { bench, exchange, slot, host } = begun({ ringBytes: 1024 });
  host.sendCredit(slot, 10_000, 0);
  bench.fromThread();
  const sent = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(100));
  for (const piece of sent) exchange.onRequestData(bytes(piece), 0, 100, false);
  exchange.onRequestTrailers(['sum', '7']);
  const arrived: string[] = [];
  let last: readonly unknown[] = [];
  for (let turn = 0; turn < 20; turn++) {
    for (const message of bench.atThread()) {
      last = message;
      if (message[0] === 'data') arrived.push(message[3] as string);
    }
    bench.fromThread();
  }
  t.is(arrived.join(''), sent.join(''));
  t.deepEqual(last, ['trailers', slot, ['sum', '7']]);
});

test('the rest of a request reaches an application that answered first, though the stream is over', (t) => {
  const { bench, exchange, slot, host, transport } = begun();
  exchange.onRequestData(bytes('abcdef'), 0, 6, true);
  host.sendHead(slot, Flag.End, 200, [], null);
  bench.fromThread();
  t.deepEqual(transport.calls, [['respond', 200, [], true]]);
  exchange.onTransportClosed(false, 0, false);
  host.sendCredit(slot, 100, 0);
  bench.fromThread();
  t.deepEqual(bench.atThread(), [['data', slot, Flag.End, 'abcdef']]);
  host.sendCredit(slot, 6, 6);
  host.sendClosed(slot);
  bench.fromThread();
  t.is(exchange.job.state, 'released');
  t.is(transport.consumedBytes, 0, 'the stream that is over has given its bytes back itself');
});

test('a request that nobody reads to its end is stopped, and what still comes goes back at once', (t) => {
  const { bench, exchange, slot, host, transport } = begun();
  exchange.onRequestData(bytes('abc'), 0, 3, false);
  host.sendHead(slot, Flag.End, 200, [], null);
  host.sendClosed(slot);
  bench.fromThread();
  t.deepEqual(transport.calls, [['respond', 200, [], true], ['stopReading']]);
  exchange.onRequestData(bytes('defg'), 0, 4, false);
  t.is(transport.consumedBytes, 4);
});

test('a reset of the peer takes an exchange back that nobody has begun', (t) => {
  const bench = new ExchangeBench();
  const thread = bench.addThread();
  const exchange = bench.exchange(false);
  exchange.onTransportClosed(true, 8, true);
  t.is(exchange.job.state, 'released');
  t.is(thread.outstanding, 0);
  t.deepEqual(
    bench.atThread().map(([kind]) => kind),
    ['open'],
    'whose claim fails',
  );
});

test('a reset reaches the thread that has begun, once, and before anything else that waits', (t) => {
  const { bench, exchange, slot, host } = begun();
  exchange.onRequestData(bytes('abc'), 0, 3, false);
  exchange.onTransportClosed(true, 8, true);
  exchange.onTransportClosed(true, 5, true);
  t.deepEqual(bench.atThread(), [['reset', slot, 8, ResetBy.Peer]]);
  host.sendCredit(slot, 100, 0);
  bench.fromThread();
  t.deepEqual(bench.atThread(), []);
  t.is(bench.transport.consumedBytes, 0);
});

test('a reset that met a full ring is sent when there is room', (t) => {
  const { bench, exchange, slot } = begun({ ringBytes: 1024 });
  while (bench.threads[0]!.channel.sendCredit(3, 1));
  exchange.onTransportClosed(true, 8, false);
  bench.atThread();
  bench.fromThread();
  t.deepEqual(bench.atThread(), [['reset', slot, 8, ResetBy.Server]]);
});

test('a reset and the credit for sent bytes ask for a turn, since the reactor may sleep', (t) => {
  const { bench, exchange, host, slot } = begun();
  host.sendHead(slot, 0, 200, [], null);
  host.sendData(slot, 0, Buffer.alloc(600), 0, 600);
  bench.fromThread();
  let before = bench.turns.requested;
  exchange.onSent(600);
  t.is(bench.turns.requested, before + 1);
  before = bench.turns.requested;
  exchange.onTransportClosed(true, 8, true);
  t.is(bench.turns.requested, before + 1);
});

test('a moved exchange brings its whole request along, trailers included', (t) => {
  const bench = new ExchangeBench();
  const first = bench.addThread();
  const exchange = bench.exchange(false);
  exchange.onRequestData(bytes('abc'), 0, 3, false);
  exchange.onRequestTrailers(['sum', '7']);
  t.true(first.takeBack(exchange.job));
  bench.addThread().assign(exchange.job);
  const slot = exchange.job.slot;
  t.deepEqual(
    bench.atThread(1).map((message) => [message[0], message[3]]),
    [['open', 0]],
  );
  bench.hosts[1]!.sendCredit(slot, 10, 0);
  bench.fromThread(1);
  t.deepEqual(bench.atThread(1), [
    ['data', slot, 0, 'abc'],
    ['trailers', slot, ['sum', '7']],
  ]);
});
