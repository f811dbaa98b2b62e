/** The host on a real channel, both ends driven by hand in one thread. */
import test from 'ava';
import { type ChannelOptions, createChannel } from '../../wire/channel.ts';
import { Flag, ResetBy } from '../../wire/messages.ts';
import { Vitals } from '../../wire/vitals.ts';
import type { HostedExchange } from '../../workers/exchange/exchange.ts';
import type { Application, Exchange } from '../../workers/gateway.ts';
import { Host } from '../../workers/thread/host.ts';
import { ManualLoop, settle } from '../runtime/model/manual-loop.ts';
import { type Received, recordReactor } from '../wire/record.ts';

const loop = new ManualLoop();
loop.install();
const whole = Flag.End | Flag.Final;

function start(application: Application, channel: ChannelOptions = {}) {
  loop.clear();
  const received: Received[] = [];
  const failures: unknown[] = [];
  const { reactor, transfer } = createChannel(recordReactor(received), channel);
  const options = {
    application: 'file:///scripted',
    pool: 'scripted',
    requestWindowBytes: 100,
    creditEveryBytes: 25,
    responseWindowBytes: 10_000,
    writeBacklogBytes: 100_000,
  };
  const host = new Host(application, transfer, options, { onFailure: (error) => failures.push(error) });
  reactor.unref();
  transfer.port.unref();
  const open = (slot: number, flags: number = Flag.End, path = '/') => {
    const generation = reactor.claims.queue(slot);
    const sent = reactor.sendOpen(slot, generation, flags, 'GET', 'http', 'h', path, '2', '', 0, 0, [], '');
    reactor.publish();
    return sent;
  };
  /** One turn of the host, and what the reactor hears of it by the next. */
  const turn = async () => {
    reactor.publish();
    // As the doorbell would, if it is asleep.
    host.onWake();
    loop.runAll();
    await settle();
    loop.runAll();
    await settle();
    const from = received.length;
    reactor.receive(1000);
    return received.slice(from);
  };
  return { host, reactor, received, failures, open, turn, vitals: new Vitals(transfer.vitals) };
}

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

test.serial('an exchange that was recalled is not run, and what was sent after it is nobody’s', async (t) => {
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

test.serial('messages for an exchange that is over are nobody’s', async (t) => {
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

test.serial('an application that throws, now or later, is reported and answered for', async (t) => {
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
});

test.serial('an application that returns without a response has failed', async (t) => {
  const { host, open, turn, failures } = start(() => undefined);
  open(0);
  t.deepEqual(await turn(), [['reset', 0, Flag.Final, 2, 1]]);
  t.regex((failures[0] as Error).message, /returned before its response was complete/);
  host.close();
});

test.serial('what an application throws because it was cut off is no failure of its own', async (t) => {
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

test.serial(
  'an application that does not wait for its writes fails alone, and it is told once',
  async (t) => {
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
  },
);

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

test.serial('more final messages than the ring has room for all leave, each once', async (t) => {
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
});

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

test.serial('a host that is drained begins nothing more, not even in the same turn', async (t) => {
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

test.serial('a host whose channel is closed stops its turns', async (t) => {
  const { host } = start(() => undefined);
  loop.runAll();
  host.close();
  for (let i = 0; i < 20; i++) loop.runAll();
  t.is(loop.pending, 0);
});

test.serial('an idle host sleeps, and a doorbell or its own application wakes it', async (t) => {
  const held: Exchange[] = [];
  const { host, open, turn, reactor } = start(async (exchange) => {
    held.push(exchange);
    await exchange.closed;
  });
  open(0);
  for (let i = 0; i < 20; i++) await turn();
  t.is(loop.pending, 0);
  t.true(reactor.peerSleeps);
  held[0]?.respond(200, {}, 'x');
  t.is(loop.pending, 1);
  t.is((await turn()).length, 1);
  for (let i = 0; i < 20; i++) await turn();
  t.is(loop.pending, 0);
  host.onWake();
  host.onWake();
  t.is(loop.pending, 1, 'one turn, however often it is rung');
  host.close();
});

test.serial('a thread whose exchanges take long claims them one by one, a quick one many', async (t) => {
  const slow = start((exchange) => {
    loop.nowMs += 2;
    exchange.respond(200, {}, '');
  });
  for (let slot = 0; slot < 20; slot++) slow.open(slot);
  for (let i = 0; i < 8; i++) loop.runAll();
  t.is(slow.host.stats().startedExchanges, 8);
  t.true(slow.reactor.claims.recall(19), 'what it has not begun can be taken back');
  slow.host.close();

  const quick = start((exchange) => exchange.respond(200, {}, ''));
  for (let slot = 0; slot < 200; slot++) quick.open(slot);
  for (let i = 0; i < 8; i++) loop.runAll();
  t.is(quick.host.stats().startedExchanges, 200);
  quick.host.close();
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

/** Takes so many light ones that its next turn would take as many as there may be. */
async function warm(bench: ReturnType<typeof start>, slots: number): Promise<void> {
  for (let round = 0; round < 20; round++) {
    for (let slot = 0; slot < slots; slot++) bench.open(slot);
    for (let answered = 0; answered < slots; ) answered += (await bench.turn()).length;
    for (let slot = 0; slot < slots; slot++) bench.reactor.claims.release(slot);
  }
}

test.serial(
  'a warm host begins few exchanges that do not answer at once, and leaves the others to be recalled',
  async (t) => {
    const slots = 200;
    const waiting: (() => void)[] = [];
    const bench = start(
      async (exchange) => {
        if (exchange.request.path === '/later') await new Promise<void>((resolve) => waiting.push(resolve));
        exchange.respond(200, {}, '');
      },
      { slots },
    );
    const { host, reactor, open } = bench;
    await warm(bench, slots);
    for (let slot = 0; slot < slots; slot++) open(slot, Flag.End, '/later');
    loop.runAll();
    t.is(waiting.length, 8);
    let recalled = 0;
    for (let slot = 0; slot < slots; slot++) if (reactor.claims.recall(slot)) recalled++;
    t.is(recalled, slots - 8);
    host.close();
  },
);

test.serial('a warm host that meets long work publishes, begins one more and ends its turn', async (t) => {
  const slots = 200;
  let computed = 0;
  const bench = start(
    (exchange) => {
      if (exchange.request.path === '/long') {
        computed++;
        loop.nowMs += 2;
      }
      exchange.respond(200, {}, '');
    },
    { slots },
  );
  const { host, reactor, received, open } = bench;
  await warm(bench, slots);
  const from = received.length;
  for (let slot = 0; slot < slots; slot++) open(slot, Flag.End, '/long');
  loop.runAll();
  t.is(computed, 2);
  reactor.receive(1000);
  t.is(received.length - from, 1, 'the first one was published before the second one began');
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

test.serial(
  'a turn that has begun eight exchanges without an answer lets them run before it begins more',
  async (t) => {
    // No turn is long: how much one begins follows from its answers alone.
    Object.defineProperty(performance, 'now', { value: () => 0, configurable: true });
    t.teardown(() => Reflect.deleteProperty(performance, 'now'));
    let order = '';
    const { host, reactor, open, turn } = start(async (exchange) => {
      if (exchange.request.path === '/counted') {
        order += 'b';
        await null;
        order += 'r';
      }
      exchange.respond(200, {}, '');
    });
    const SLOTS = 20;
    const answerAll = async (path: string) => {
      for (let slot = 0; slot < SLOTS; slot++) open(slot, Flag.End, path);
      for (let answers = 0; answers < SLOTS; ) answers += (await turn()).length;
      for (let slot = 0; slot < SLOTS; slot++) reactor.claims.release(slot);
    };
    // The thread is warm, and would begin all of them in one turn.
    for (let round = 0; round < 6; round++) await answerAll('/warm');
    await answerAll('/counted');
    t.is(order, `${'b'.repeat(8)}${'r'.repeat(8)}${'b'.repeat(8)}${'r'.repeat(8)}bbbbrrrr`);
    host.close();
  },
);

test.serial(
  'a host that found a single request sleeps at once, and one that found more polls first',
  async (t) => {
    const { host, reactor, open } = start(async (exchange) => exchange.respond(200, {}, ''));
    loop.runAll();
    for (let i = 0; i < 20; i++) loop.runAll();
    t.is(loop.pending, 0);
    open(0);
    host.onWake();
    loop.runAll();
    t.is(loop.pending, 0);
    t.true(reactor.peerSleeps);
    await settle();
    t.is(reactor.receive(10), 1, 'its answer has been published');
    for (const slot of [1, 2, 3]) open(slot);
    host.onWake();
    loop.runAll();
    loop.runAll();
    t.is(loop.pending, 1);
    t.false(reactor.peerSleeps);
    host.close();
  },
);

test.serial('a paused host goes on when its exchanges are answered, however they have waited', async (t) => {
  const slots = 64;
  const wait: { readonly [path: string]: () => Promise<void> } = {
    '/microtasks': async () => {
      await null;
      await null;
    },
    '/ticks': () => new Promise((resolve) => process.nextTick(resolve)),
  };
  for (const path of Object.keys(wait)) {
    const bench = start(
      async (exchange) => {
        await wait[exchange.request.path]?.();
        exchange.respond(200, {}, '');
      },
      { slots },
    );
    await warm(bench, slots);
    for (let slot = 0; slot < slots; slot++) bench.open(slot, Flag.End, path);
    bench.host.onWake();
    loop.runAll();
    for (let pause = 0; pause < slots / 8; pause++) await settle();
    t.is(bench.host.stats().openExchanges, 0, 'in one turn');
    bench.host.close();
  }
});

test.serial(
  'what waits when its host goes to sleep has kept it until then, however long the sleep is',
  async (t) => {
    const gate = Promise.withResolvers<void>();
    const { host, open, turn, vitals } = start(async (exchange) => {
      loop.nowMs += 0.4;
      await gate.promise;
      exchange.respond(200, {}, '');
    });
    open(0);
    t.deepEqual(await turn(), []);
    const computedUs = vitals.computedUs(0);
    t.true(computedUs > 0 && computedUs < 5_000, `${computedUs}: known before the answer is`);
    loop.nowMs += 50;
    gate.resolve();
    await settle();
    t.is((await turn()).length, 1);
    t.is(vitals.computedUs(0), computedUs);
    host.close();
  },
);

test.serial('a host from which work is held back tells when it goes to sleep, once', async (t) => {
  const { host, reactor, open, turn, vitals } = start((exchange) => exchange.respond(200, {}, ''));
  open(0);
  await turn();
  vitals.holdBack();
  t.true(reactor.sleep());
  host.onWake();
  while (loop.pending > 0) loop.runAll();
  t.false(vitals.takeHeldBack(), 'it has seen that');
  t.false(reactor.isQuiet, 'and rung');
  host.close();
});
