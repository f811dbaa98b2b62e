/** Exchanges in a host: claimed, run, answered, cut off, and drained. */
import test from 'ava';
import { Flag, ResetBy } from '../../wire/messages.ts';
import type { HostedExchange } from '../../workers/exchange/exchange.ts';
import type { Exchange } from '../../workers/gateway.ts';
import { settle } from '../runtime/model/manual-loop.ts';
import type { Received } from '../wire/record.ts';
import { loop, start } from './host-bench.ts';

const whole = Flag.End | Flag.Final;

test.serial('an exchange is claimed, run and answered, and its slot can be used again', async (t) => {
  const { host, reactor, open, turn } = start((exchange) => exchange.respond(200, {}, exchange.request.path));
  for (const path of ['/a', '/b']) {
    open(0, Flag.End, path);
    t.deepEqual(await turn(), [['head', 0, whole, 200, ['content-length', '2'], path]]);
    reactor.claims.release(0);
  }
  t.like(host.stats(), { openExchanges: 0, startedExchanges: 2, failedExchanges: 0 });
  host.close();
});

test.serial('a recalled exchange is not run, and messages that were sent for it are dropped', async (t) => {
  const paths: string[] = [];
  const { host, reactor, open, turn } = start((exchange) => {
    paths.push(exchange.request.path);
    exchange.respond(200, {}, '');
  });
  open(0, 0, '/recalled');
  reactor.sendData(0, Flag.End, Buffer.alloc(0), 0, 0);
  reactor.sendTrailers(0, ['a', '1']);
  reactor.sendReset(0, 8, ResetBy.Peer);
  t.true(reactor.claims.recall(0));
  reactor.claims.release(0);
  open(0, Flag.End, '/next');
  const answers: Received[] = [];
  for (let i = 0; i < 5; i++) answers.push(...(await turn()));
  t.deepEqual(paths, ['/next']);
  t.is(answers.length, 1);
  t.like(host.stats(), { startedExchanges: 1 });
  host.close();
});

test.serial('messages for an exchange that is over are dropped', async (t) => {
  const { host, reactor, open, turn, failures } = start((exchange) => exchange.respond(200, {}, ''));
  open(0);
  await turn();
  reactor.sendCredit(0, 100);
  reactor.sendData(0, 0, Buffer.from('x'), 0, 1);
  reactor.sendTrailers(0, []);
  reactor.sendReset(0, 8, ResetBy.Peer);
  for (let i = 0; i < 4; i++) t.deepEqual(await turn(), []);
  t.deepEqual(failures, []);
  host.close();
});

test.serial(
  'an application that throws, at once or later, is reported, and its exchange is answered',
  async (t) => {
    const now = start(() => {
      throw new Error('now');
    });
    now.open(0);
    t.deepEqual(await now.turn(), [['reset', 0, Flag.Final, 2, 1]]);
    t.like(now.failures[0], { message: 'now' });
    now.host.close();

    const later = start(async (exchange) => {
      exchange.respond(200);
      await null;
      throw new Error('later');
    });
    later.open(0);
    t.deepEqual(
      (await later.turn()).map(([kind]) => kind),
      ['head', 'reset'],
    );
    t.like(later.failures[0], { message: 'later' });
    t.like(later.host.stats(), { failedExchanges: 1, openExchanges: 0 });
    later.host.close();
  },
);

test.serial('an application that returns without a response has failed', async (t) => {
  const { host, open, turn, failures } = start(() => undefined);
  open(0);
  t.deepEqual(await turn(), [['reset', 0, Flag.Final, 2, 1]]);
  t.regex((failures[0] as Error).message, /returned before its response was complete/);
  host.close();
});

test.serial('an error that an application throws because it was cut off is not its failure', async (t) => {
  const { host, reactor, open, turn, failures } = start(async (exchange) => {
    await exchange.body.text();
  });
  open(0, 0);
  t.deepEqual(await turn(), [['credit', 0, 100, 0]]);
  reactor.sendReset(0, 8, ResetBy.Peer);
  t.deepEqual(await turn(), [['reset', 0, Flag.Final, 8, 0]]);
  t.deepEqual(failures, []);
  t.like(host.stats(), { failedExchanges: 0 });
  host.close();
});

test.serial('an application that does not await its writes fails alone, and is told once', async (t) => {
  for (const isAwaited of [false, true]) {
    const { host, open, turn, failures } = start(async (exchange) => {
      exchange.respond(200);
      let last: Promise<void> = Promise.resolve();
      for (let i = 0; i < 2000; i++) last = exchange.write('0123456789'.repeat(11));
      if (isAwaited) await last;
      exchange.end();
    });
    open(0);
    const kinds: unknown[] = [];
    for (let i = 0; i < 4; i++) kinds.push(...(await turn()).map(([kind]) => kind));
    t.deepEqual([kinds.at(0), kinds.at(-1)], ['head', 'reset']);
    t.is(failures.length, 1);
    t.like(failures[0], { code: 'SLUICE_WRITE_BACKLOG' });
    host.close();
  }
});

test.serial('final messages that met a full ring are sent in order before anything else', async (t) => {
  const held: Exchange[] = [];
  const { host, reactor, received, open, turn } = start(
    async (exchange) => {
      held.push(exchange);
      await exchange.closed;
    },
    { responseRingBytes: 1024, requestRingBytes: 65_536, slots: 8 },
  );
  for (let slot = 0; slot < 4; slot++) open(slot);
  while (held.length < 4) await turn();
  held[0]?.respond(200);
  void held[0]?.write('x'.repeat(4000));
  for (const exchange of held.slice(1)) exchange.reset(5);
  t.like(host.stats(), { openExchanges: 1 });
  for (let i = 0; i < 10; i++) await turn();
  const kinds = received.map(([kind, slot]) => `${kind} ${slot}`);
  t.is(kinds.filter((kind) => kind.startsWith('reset')).join(), 'reset 1,reset 2,reset 3');
  t.true(kinds.indexOf('reset 3') < kinds.lastIndexOf('data 0'));
  t.is(
    received
      .filter(([kind]) => kind === 'data')
      .map(([, , , text]) => text)
      .join('').length,
    4000,
  );
  held[0]?.end();
  t.deepEqual(await turn(), [['data', 0, whole, '']]);
  reactor.close();
  host.close();
});

test.serial(
  'all final messages are sent, each once, even if the ring has no room for all of them',
  async (t) => {
    const slots = 300;
    const held: Exchange[] = [];
    const { host, received, open, turn } = start(
      async (exchange) => {
        held.push(exchange);
        await exchange.closed;
      },
      { responseRingBytes: 1024, requestRingBytes: 65_536, slots },
    );
    for (let slot = 0; slot < slots; slot++) t.true(open(slot));
    while (held.length < slots) await turn();
    for (const exchange of held) exchange.reset();
    t.is(host.stats().openExchanges, 0);
    // Each turn of the reactor empties the ring, so room is told of several times.
    for (let i = 0; i < 40; i++) await turn();
    t.deepEqual(
      received.map(([kind, slot]) => `${kind} ${slot}`),
      held.map((_, slot) => `reset ${slot}`),
    );
    host.close();
  },
);

test.serial('a drain waits for exchanges, applications and their last messages', async (t) => {
  const hold = Promise.withResolvers<void>();
  const { host, open, turn } = start(async (exchange) => {
    exchange.respond(200, {}, 'x');
    await hold.promise;
  });
  let drained = 0;
  open(0);
  await turn();
  void host.drain().then(() => drained++);
  void host.drain().then(() => drained++);
  await turn();
  t.is(drained, 0, 'the application still runs');
  hold.resolve();
  await settle();
  t.is(drained, 2);
  host.close();
});

test.serial('a drained host begins no more exchanges, not even in the same turn', async (t) => {
  const held: Exchange[] = [];
  const { host, reactor, open, turn } = start(
    (exchange) => {
      held.push(exchange);
      // Interim responses fill the ring, so that the reset waits for room.
      for (let i = 0; i < 100; i++) exchange.inform(103);
      exchange.reset();
    },
    { responseRingBytes: 1024, requestRingBytes: 65_536, slots: 8 },
  );
  open(0);
  loop.runAll();
  t.is(held.length, 1);
  let drained = false;
  void host.drain().then(() => {
    drained = true;
  });
  await settle();
  t.false(drained, 'a last message waits');
  loop.runAll();
  open(1);
  reactor.receive(1000);
  host.onWake();
  loop.runAll();
  await settle();
  t.true(drained);
  t.is(held.length, 1);
  t.true(reactor.claims.recall(1), 'so that another thread can begin it');
  t.deepEqual((await turn()).at(-1), ['reset', 0, Flag.Final, 8, 0]);
  host.close();
});

test.serial('a drain of an idle host ends at once', async (t) => {
  const { host } = start(() => undefined);
  await t.notThrowsAsync(host.drain());
  host.close();
});

test.serial('thousands of exchanges through few slots leave nothing behind', async (t) => {
  const { host, reactor, open, turn } = start(
    async (exchange) => {
      const text = await exchange.body.text();
      exchange.respond(200, {}, text);
    },
    { requestRingBytes: 1024, responseRingBytes: 1024, slots: 3 },
  );
  let answered = 0;
  for (let i = 0; i < 3000; i++) {
    const slot = i % 3;
    t.true(open(slot, 0));
    for (let state = 'asking'; state !== 'answered'; ) {
      for (const message of await turn()) {
        if (message[0] === 'credit' && message[2] === 100) {
          reactor.sendData(slot, Flag.End, Buffer.from('content'), 0, 7);
        } else if (message[0] === 'head') {
          t.is(message[5], 'content');
          state = 'answered';
          answered++;
        }
      }
    }
    reactor.claims.release(slot);
  }
  t.is(answered, 3000);
  t.like(host.stats(), { openExchanges: 0, startedExchanges: 3000, failedExchanges: 0 });
  host.close();
});

for (const [what, accepted] of [
  ['given', true],
  ['refused', false],
] as const) {
  test.serial(`an error of ours while a promise is ${what} costs its exchanges, and no other`, async (t) => {
    const fault = new Error('of ours');
    const { host, reactor, open, turn, failures } = start(async (exchange) => {
      if (exchange.request.path === '/other') {
        await exchange.body.text();
        return exchange.respond(200, {}, '');
      }
      const answer = exchange.push({ path: '/pushed' });
      const { pushes } = exchange as HostedExchange;
      const breakOff = () => {
        throw fault;
      };
      Object.assign(pushes as object, { promised: breakOff, refused: breakOff });
      await answer;
    });
    open(0, Flag.End | Flag.TakesPushes, '/parent');
    open(1, 0, '/other');
    const heard = async () => [...(await turn()), ...(await turn())].map(([kind, slot]) => [kind, slot]);
    t.deepEqual(await heard(), [
      ['push', 0],
      ['credit', 1],
    ]);
    const generation = reactor.claims.queue(2);
    t.true(reactor.claims.claim(2, generation));
    reactor.sendPromised(0, 1, accepted, 2);
    const resets = await heard();
    t.deepEqual(
      resets.toSorted(),
      accepted
        ? [
            ['reset', 0],
            ['reset', 2],
          ]
        : [['reset', 0]],
    );
    t.true(failures.includes(fault));
    reactor.sendData(1, Flag.End, Buffer.alloc(0), 0, 0);
    t.deepEqual(await heard(), [['head', 1]]);
    host.close();
  });
}
