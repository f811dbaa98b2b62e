/**
 * What crosses on its way: answers and deadlines, readers that leave and generators that go on, slots that are used again at once. By way
 * of the reactor and over direct channels.
 */
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import type { TestThread } from '../../runtime/testing/hosts.ts';
import type { Call } from '../../workers/actors/actors.ts';
import { type Pair, startPair } from './direct/pair.ts';

/** Promises that the test resolves, by name. */
const gates = new Map<string, PromiseWithResolvers<void>>();
const told: string[] = [];

function gate(name: string): PromiseWithResolvers<void> {
  let known = gates.get(name);
  if (known === undefined) {
    known = Promise.withResolvers<void>();
    gates.set(name, known);
  }
  return known;
}

class Gated {
  async answer(name: string): Promise<string> {
    told.push(`begin ${name}`);
    await gate(name).promise;
    return name;
  }

  echo(value: string): string {
    told.push(`begin ${value}`);
    return value;
  }

  /** Looks at no signal, and goes on when its reader has left. */
  async *deaf(name: string, _call: Call): AsyncGenerator<string> {
    try {
      yield `${name} 1`;
      await gate(name).promise;
      yield `${name} 2`;
    } finally {
      told.push(`returned ${name}`);
    }
  }
}

test.beforeEach(() => {
  gates.clear();
  told.length = 0;
});

/** A caller's thread and one with the actor, and a clock that may pass in the middle of a turn. */
async function start(t: ExecutionContext, isDirect: boolean, settings: object) {
  const gatedPool = { class: Gated, pool: 'gated', settings };
  const pair = await startPair(t, { gated: gatedPool }, { maxChannels: isDirect ? 8 : 0 });
  const gated = pair.handle<typeof Gated>('gated');
  for (let tries = 0; pair.directory.direct.conversations < (isDirect ? 1 : 0); tries++) {
    if (tries > 100) throw new Error('it does not join');
    await gated.echo('joins');
    await pair.settle();
  }
  told.length = 0;
  return { pair, gated, caller: pair.callers[0] as TestThread, went: leavesNothing(t, pair, isDirect) };
}

/** @returns checks that all calls since have gone the way that they should, and that nothing is left of them */
function leavesNothing(t: ExecutionContext, pair: Pair, isDirect: boolean): () => Promise<void> {
  const { received } = pair.turns;
  return async () => {
    await pair.settle();
    t.is(pair.turns.received === received, isDirect);
    pair.directory.direct.callBackAll();
    await pair.settle();
    t.is(pair.directory.openMessages, 0);
    t.is(pair.directory.direct.conversations, 0);
  };
}

for (const [over, isDirect] of [
  ['', false],
  [', over direct channels', true],
] as const) {
  test.serial(
    `a reply and a deadline in one turn: one settlement, and the next ask never gets the old reply${over}`,
    async (t) => {
      const { pair, caller, gated, went } = await start(t, isDirect, { kind: 'pool', concurrency: 2 });
      const outcomes = { answered: 0, late: 0 };
      for (let round = 0; round < 400; round++) {
        const name = `old-${round}`;
        let settlements = 0;
        const settled = gated.answer(name, { deadlineMs: 10 }).then(
          (value) => {
            settlements++;
            outcomes.answered++;
            t.is(value, name);
          },
          (error: { code: string }) => {
            settlements++;
            outcomes.late++;
            t.is(error.code, 'SLUICE_ACTOR_DEADLINE');
          },
        );
        while (told.at(-1) !== `begin ${name}`) await setImmediate();
        // How far the answer has come when the time has: not at all, into the method's microtasks, onto the rings, or home.
        const way = round % 40;
        if (way > 0) gate(name).resolve();
        for (let step = 1; step < way && step < 20; step++) await Promise.resolve();
        for (let turn = 20; turn < way && turn < 39; turn++) await setImmediate();
        if (way === 39) await settled;
        pair.clock.pass(10);
        gate(name).resolve();
        // At once: the slot of the old call is the first to be used again.
        const next = gated.answer(`new-${round}`);
        const after = gated.echo(`after-${round}`);
        await settled;
        t.is(await after, `after-${round}`);
        gate(`new-${round}`).resolve();
        t.is(await next, `new-${round}`);
        t.is(settlements, 1);
        t.is(caller.side.calls.openCalls, 0);
      }
      t.true(outcomes.late > 0 && outcomes.answered > 0, JSON.stringify(outcomes));
      t.is(new Set(told).size, told.length, 'each has begun once');
      await went();
    },
  );

  test.serial(
    `a call that is given up while it runs keeps its slot until it has replied: nobody gets its late reply${over}`,
    async (t) => {
      const { pair, gated, went } = await start(t, isDirect, { kind: 'pool', concurrency: 8 });
      const late = t.throwsAsync(gated.answer('late', { deadlineMs: 10 }), { code: 'SLUICE_ACTOR_DEADLINE' });
      await pair.pass(10);
      await late;
      const others = ['a', 'b', 'c'].map((name) => gated.answer(name));
      await pair.settle();
      gate('late').resolve();
      await pair.settle();
      for (const name of ['c', 'b', 'a']) gate(name).resolve();
      t.deepEqual(await Promise.all(others), ['a', 'b', 'c']);
      await went();
    },
  );

  test.serial(
    `a generator that is deaf to its abort holds its instance until its grace is over, and no longer${over}`,
    async (t) => {
      const { pair, gated, went } = await start(t, isDirect, { kind: 'single', streamGraceMs: 100 });
      for await (const item of gated.deaf('deaf')) {
        t.is(item, 'deaf 1');
        break;
      }
      const waiting = gated.echo('next');
      await pair.pass(99);
      t.deepEqual(told, [], 'its instance is still held');
      await pair.pass(1);
      t.is(await waiting, 'next');
      gate('deaf').resolve();
      await pair.settle();
      t.true(told.includes('returned deaf'), 'its finally runs when what it waited for has come');
      await went();
    },
  );

  test.serial(
    `what a generator gives when its grace is over reaches no stream that has its slot${over}`,
    async (t) => {
      const settings = { kind: 'pool', concurrency: 8, streamGraceMs: 100 };
      const { pair, gated, went } = await start(t, isDirect, settings);
      for await (const item of gated.deaf('left')) {
        t.is(item, 'left 1');
        break;
      }
      await pair.pass(100);
      const names = ['a', 'b', 'c'];
      const streams = names.map((name) => gated.deaf(name)[Symbol.asyncIterator]());
      for (const [index, name] of names.entries()) {
        t.deepEqual(await streams[index]?.next(), { done: false, value: `${name} 1` });
      }
      gate('left').resolve();
      await pair.settle();
      t.true(told.includes('returned left'));
      for (const [index, name] of names.entries()) {
        gate(name).resolve();
        t.deepEqual(await streams[index]?.next(), { done: false, value: `${name} 2` });
        t.deepEqual(await streams[index]?.next(), { done: true, value: undefined });
      }
      await went();
    },
  );
}

test.serial(
  'a deadline that passes while its message waits: the method does not begin, and a tell is reported',
  async (t) => {
    const started = await testActors({ gated: { class: Gated, kind: 'single', aheadMessages: 1 } });
    t.teardown(() => started.close());
    const { gated } = started.actors;
    const release = started.stall('gated');
    // The first two are given to the thread, the third waits in the mailbox.
    for (const name of ['given', 'ahead', 'waiting']) await gated.tell.echo(name, { deadlineMs: 100 });
    await started.clock.advance(100);
    release();
    await started.settled();
    t.is(await gated.echo('after'), 'after');
    t.deepEqual(told, ['begin after']);
    t.deepEqual(started.reports.map(({ what }) => what).toSorted(), [
      'tell failed',
      'tell failed',
      'tell lost',
    ]);
  },
);
