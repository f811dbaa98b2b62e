import test from 'ava';
import { Exchange } from '../../runtime/exchange/exchange.ts';
import { OutcomeCounters } from '../../runtime/exchange/outcomes.ts';
import { Flag, ResetReason } from '../../wire/messages.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { ExchangeBench, RecordingTransport } from './exchange-bench.ts';

const whole = Flag.End | Flag.Final;

function begun(options = {}, requestEnded = true) {
  const bench = new ExchangeBench(options);
  bench.addThread();
  const exchange = bench.exchange(requestEnded);
  bench.atThread();
  return { bench, exchange, slot: exchange.job.slot, host: bench.hosts[0]!, calls: bench.transport.calls };
}

test('a head without content ends the stream itself, one with content leaves that to the content', (t) => {
  const empty = begun();
  empty.host.sendHead(empty.slot, whole, 204, ['a', 'b'], null);
  empty.bench.fromThread();
  t.deepEqual(empty.calls, [['respond', 204, ['a', 'b'], true]]);
  t.is(empty.exchange.job.state, 'released');

  const full = begun();
  full.host.sendHead(full.slot, whole, 200, [], Buffer.from('content'));
  full.bench.fromThread();
  t.deepEqual(full.calls, [
    ['respond', 200, [], false],
    ['write', 'content', true],
  ]);
});

test('interim responses, head, pieces and trailers reach the transport in order', (t) => {
  const { bench, slot, host, calls, exchange } = begun();
  host.sendInform(slot, 103, ['link', '</a>']);
  host.sendHead(slot, 0, 200, [], null);
  host.sendData(slot, 0, Buffer.from('ab'), 0, 2);
  host.sendTrailers(slot, Flag.Final, ['sum', '1']);
  bench.fromThread();
  t.deepEqual(calls, [
    ['inform', 103, ['link', '</a>']],
    ['respond', 200, [], false],
    ['write', 'ab', false],
    ['trailers', ['sum', '1']],
  ]);
  t.is(exchange.job.state, 'released');
});

for (const [what, send] of [
  ['a head with the status 99', (host, slot) => host.sendHead(slot, 0, 99, [], null)],
  ['a head with the status 600', (host, slot) => host.sendHead(slot, 0, 600, [], null)],
  ['an interim response with the status 101', (host, slot) => host.sendInform(slot, 101, [])],
  ['an interim response with the status 200', (host, slot) => host.sendInform(slot, 200, [])],
  ['more bytes consumed than have crossed', (host, slot) => host.sendCredit(slot, 0, 1)],
] satisfies [string, (host: ThreadEnd, slot: number) => unknown][]) {
  test(`a thread that says what no host says is corrupt: ${what}`, (t) => {
    const { bench, slot, host, calls } = begun();
    send(host, slot);
    t.throws(() => bench.fromThread(), { code: 'SLUICE_CHANNEL_CORRUPT' });
    t.deepEqual(calls, []);
  });
}

test('what a thread may not say does not reach the transport', (t) => {
  const { bench, slot, host, calls } = begun();
  host.sendData(slot, 0, Buffer.from('early'), 0, 5);
  host.sendTrailers(slot, 0, ['early', '1']);
  host.sendHead(slot, 0, 200, [], null);
  host.sendInform(slot, 103, []);
  host.sendHead(slot, 0, 201, [], null);
  host.sendData(slot, Flag.End, Buffer.from('x'), 0, 1);
  host.sendData(slot, Flag.End, Buffer.from('late'), 0, 4);
  host.sendTrailers(slot, 0, ['late', '1']);
  bench.fromThread();
  t.deepEqual(calls, [
    ['respond', 200, [], false],
    ['write', 'x', true],
  ]);
});

test('credit for what was sent goes to the thread in one message for many pieces, and none after the last byte', (t) => {
  const { bench, exchange, slot, host } = begun({ responseWindowBytes: 1000 });
  host.sendHead(slot, 0, 200, [], null);
  host.sendData(slot, 0, Buffer.alloc(600), 0, 600);
  bench.fromThread();
  exchange.onSent(100);
  t.deepEqual(bench.atThread(), []);
  exchange.onSent(100);
  t.deepEqual(bench.atThread(), []);
  exchange.onSent(300);
  t.deepEqual(bench.atThread(), [['credit', slot, 500]], 'at the latest for half of the window');
  host.sendData(slot, Flag.End, Buffer.alloc(400), 0, 400);
  bench.fromThread();
  exchange.onSent(500);
  t.deepEqual(bench.atThread(), []);
});

test('the window doubles up to its limit for a peer that drains two windows without leaving a backlog', (t) => {
  const { bench, exchange, slot, host } = begun({ responseWindowBytes: 1000, maxResponseWindowBytes: 3000 });
  host.sendHead(slot, 0, 200, [], null);
  const pass = (bytes: number, sent = bytes) => {
    host.sendData(slot, 0, Buffer.alloc(bytes), 0, bytes);
    bench.fromThread();
    exchange.onSent(sent);
    return bench.atThread();
  };
  t.deepEqual(pass(1000), [['credit', slot, 1000]]);
  t.deepEqual(pass(1000), [['credit', slot, 2000]], 'two windows: one more');
  t.deepEqual(pass(2000), [['credit', slot, 2000]]);
  t.deepEqual(pass(2000), [['credit', slot, 3000]], 'up to the limit');
  t.deepEqual(pass(3000), [['credit', slot, 3000]]);
  t.deepEqual(pass(3000), [['credit', slot, 3000]]);
});

test('the window of a peer that leaves something lying does not grow', (t) => {
  const { bench, exchange, slot, host } = begun({ responseWindowBytes: 1000, maxResponseWindowBytes: 4000 });
  host.sendHead(slot, 0, 200, [], null);
  host.sendData(slot, 0, Buffer.alloc(1000), 0, 1000);
  bench.fromThread();
  for (let round = 0; round < 10; round++) {
    exchange.onSent(600);
    t.deepEqual(bench.atThread(), [['credit', slot, 600]]);
    host.sendData(slot, 0, Buffer.alloc(600), 0, 600);
    bench.fromThread();
  }
});

test('credit that met a full ring is kept, and a ring that stays full stops nobody', (t) => {
  const bench = new ExchangeBench({ ringBytes: 1024, responseWindowBytes: 100 });
  const thread = bench.addThread();
  const host = bench.hosts[0]!;
  const exchanges = [bench.exchange(true), bench.exchange(true)];
  bench.atThread();
  for (const {
    job: { slot },
  } of exchanges) {
    host.sendHead(slot, 0, 200, [], null);
    host.sendData(slot, 0, Buffer.alloc(100), 0, 100);
  }
  bench.fromThread();
  const fill = () => {
    while (thread.channel.sendCredit(3, 1));
  };
  fill();
  for (const exchange of exchanges) exchange.onSent(60);
  // Room appears and is gone again before the ones that wait get to it.
  thread.channel.publish();
  host.receive(1000);
  fill();
  thread.onRingRoom();
  thread.channel.publish();
  host.receive(1000);
  t.deepEqual(
    bench.received[0]!.filter(([kind, slot]) => kind === 'credit' && slot !== 3),
    [],
  );
  thread.channel.receive(1000);
  t.deepEqual(bench.atThread(), [
    ['credit', exchanges[1]!.job.slot, 60],
    ['credit', exchanges[0]!.job.slot, 60],
  ]);
});

test('an application that threw before the head is answered 500, after it the stream is reset', (t) => {
  const before = begun({}, false);
  before.host.sendReset(before.slot, Flag.Final, 2, ResetReason.Threw);
  before.bench.fromThread();
  t.deepEqual(before.calls, [
    ['respond', 500, ['content-type', 'text/plain; charset=utf-8', 'content-length', '26'], false],
    ['write', '500 Internal Server Error\n', true],
    ['stopReading'],
  ]);
  t.is(before.exchange.job.state, 'released');

  const after = begun();
  after.host.sendHead(after.slot, 0, 200, [], null);
  after.host.sendReset(after.slot, Flag.Final, 2, ResetReason.Threw);
  after.bench.fromThread();
  t.deepEqual(after.calls, [
    ['respond', 200, [], false],
    ['reset', 2],
  ]);
});

test('a reset by the application resets the stream with its code, unless the response is whole', (t) => {
  const open = begun();
  open.host.sendReset(open.slot, Flag.Final, 11, ResetReason.Application);
  open.bench.fromThread();
  t.deepEqual(open.calls, [['reset', 11]]);

  const answered = begun({}, false);
  answered.host.sendHead(answered.slot, Flag.End, 200, [], null);
  answered.host.sendReset(answered.slot, Flag.Final, 11, ResetReason.Application);
  answered.bench.fromThread();
  t.deepEqual(answered.calls, [['respond', 200, [], true], ['stopReading']]);
});

test('a thread that dies leaves 502 before the head, a reset after it, and nothing after the end', (t) => {
  const bench = new ExchangeBench();
  const thread = bench.addThread();
  const host = bench.hosts[0]!;
  const [none, head, ended] = [bench.exchange(true), bench.exchange(true), bench.exchange(false)];
  bench.atThread();
  host.sendHead(head.job.slot, 0, 200, [], null);
  host.sendHead(ended.job.slot, Flag.End, 200, [], null);
  host.publish();
  const { calls } = bench.transport;
  t.deepEqual(thread.die(), []);
  t.deepEqual(calls, [
    ['respond', 200, [], false],
    ['respond', 200, [], true],
    ['respond', 502, ['content-type', 'text/plain; charset=utf-8', 'content-length', '16'], false],
    ['write', '502 Bad Gateway\n', true],
    ['reset', 2],
    ['stopReading'],
  ]);
  for (const exchange of [none, head, ended]) t.is(exchange.job.state, 'released');
});

test('a thread that ends an exchange with less than a response leaves 502 before the head, a reset after it', (t) => {
  for (const ends of [
    (host: ThreadEnd, slot: number) => host.sendClosed(slot),
    (host: ThreadEnd, slot: number) => host.sendHead(slot, Flag.Final, 200, [], null),
    (host: ThreadEnd, slot: number) => host.sendData(slot, whole, Buffer.from('x'), 0, 1),
    (host: ThreadEnd, slot: number) => host.sendTrailers(slot, Flag.Final, []),
  ]) {
    for (const requestEnded of [true, false]) {
      const { bench, slot, host, calls, exchange } = begun({}, requestEnded);
      ends(host, slot);
      bench.fromThread();
      t.is(exchange.job.state, 'released');
      const [last] = calls.filter(([kind]) => kind === 'respond' || kind === 'reset').slice(-1);
      t.true(last?.[1] === 502 || last?.[0] === 'reset', JSON.stringify(calls));
    }
  }
});

test('a full queue is answered 503 with Retry-After', (t) => {
  const bench = new ExchangeBench({ maxQueuedJobs: 0 });
  const exchange = bench.exchange(true);
  t.deepEqual(bench.transport.calls[0], [
    'respond',
    503,
    ['content-type', 'text/plain; charset=utf-8', 'content-length', '24', 'retry-after', '7'],
    false,
  ]);
  t.is(exchange.job.state, 'released');
});

test('a path that leads to no pool is answered 404, and its request is not read', (t) => {
  const transport = new RecordingTransport();
  const nowhere = {
    dispatcher: null,
    responseWindowBytes: 1000,
    maxResponseWindowBytes: 1000,
    retryAfterSeconds: 1,
    maxBodyBytes: Infinity,
    minRequestBytesPerSecond: 0,
    websocket: false,
    connect: false,
    outcomes: new OutcomeCounters(),
  };
  new Exchange(transport, null, nowhere, 'POST', 'http', '', '/', '2', '', 0, [], false).start();
  t.deepEqual(transport.calls, [
    ['respond', 404, ['content-type', 'text/plain; charset=utf-8', 'content-length', '14'], false],
    ['write', '404 Not Found\n', true],
    ['stopReading'],
  ]);
});

test('after the stream is over nothing reaches the transport', (t) => {
  const { bench, exchange, slot, host, calls } = begun({}, false);
  host.sendCredit(slot, 10, 0);
  bench.fromThread();
  exchange.onRequestData(Buffer.alloc(10), 0, 10, false);
  exchange.onTransportClosed(true, 8, true);
  host.sendInform(slot, 103, []);
  host.sendHead(slot, 0, 200, [], null);
  host.sendData(slot, 0, Buffer.from('x'), 0, 1);
  host.sendCredit(slot, 10, 10);
  host.sendReset(slot, Flag.Final, 2, ResetReason.Threw);
  bench.fromThread();
  t.deepEqual(calls, []);
  t.is(bench.transport.consumedBytes, 0);
  t.is(exchange.job.state, 'released');
});
