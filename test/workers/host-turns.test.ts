/** The turns of a host: how much one begins, and when the host sleeps. */
import test from 'ava';
import { Flag } from '../../wire/messages.ts';
import type { Exchange } from '../../workers/gateway.ts';
import { settle } from '../runtime/model/manual-loop.ts';
import { loop, start } from './host-bench.ts';

/** Gives the host so many light exchanges that its next turn would begin as many as it may. */
async function warm(bench: ReturnType<typeof start>, slots: number): Promise<void> {
  for (let round = 0; round < 20; round++) {
    for (let slot = 0; slot < slots; slot++) bench.open(slot);
    for (let answered = 0; answered < slots; ) answered += (await bench.turn()).length;
    for (let slot = 0; slot < slots; slot++) bench.reactor.claims.release(slot);
  }
}

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

test.serial(
  'a warm host that meets a long exchange publishes, begins one more and ends its turn',
  async (t) => {
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
  },
);

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

test.serial('a paused host continues when its exchanges are answered, whatever they awaited', async (t) => {
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
  'the computed time of an exchange ends when its host goes to sleep, however long the sleep is',
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

test.serial('a host from which work is held back announces once that it goes to sleep', async (t) => {
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
