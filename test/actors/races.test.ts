/** What crosses on its way: answers and deadlines, readers that leave and generators that go on, slots that are used again at once. */
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import { ActorDirectory } from '../../runtime/actors/directory.ts';
import { ActorTurns } from '../../runtime/actors/turns.ts';
import { actorsSection } from '../../runtime/config/actor-schema.ts';
import { topicsSchema } from '../../runtime/config/topics-schema.ts';
import { testActors } from '../../runtime/testing/actors.ts';
import { Host, TestThread } from '../../runtime/testing/hosts.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { readMillisecondsFrom } from '../../wire/clock.ts';
import type { Call } from '../../workers/actors/actors.ts';
import { handleOf } from '../../workers/actors/handle.ts';
import { type AnyClass, hostedActor } from '../../workers/actors/load.ts';

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

/** A caller's thread and one with the actor, and a clock that passes in the middle of a turn. */
async function startByHand(t: ExecutionContext) {
  const clock = new ManualClock();
  readMillisecondsFrom(() => clock.nowMs);
  const parsed = v.parse(actorsSection, { gated: { pool: 'gated', export: 'Gated', kind: 'pool' } });
  const settings = Object.entries(parsed).map(
    ([name, { concurrency = 2, export: exported = '', ...actor }]) => ({
      ...actor,
      name,
      export: exported,
      concurrency,
    }),
  );
  const directory = new ActorDirectory(
    { actors: settings, topics: v.parse(topicsSchema, {}), recallAfterMs: 1_000 },
    {
      onTellFailed: () => undefined,
      onTellLost: () => undefined,
      onStopFailed: () => undefined,
      onRestart: () => undefined,
      onStartFailed: () => undefined,
    },
    new ActorTurns(() => clock.nowMs),
  );
  const caller = new TestThread(directory, 'caller', 'caller', clock);
  const create = (index: number, actor: ActorSettings) =>
    hostedActor(index, actor, Gated as unknown as AnyClass);
  const host = new Host('gated', 0, create, directory, clock, new WeakMap());
  await host.start();
  t.teardown(() => {
    host.kill();
    caller.die();
    directory.end();
    readMillisecondsFrom(null);
  });
  return { clock, caller, directory, gated: handleOf<typeof Gated>('gated', () => caller.side) };
}

test.serial(
  'a reply and a deadline in one turn: one settlement, and the next ask never gets the old reply',
  async (t) => {
    const { clock, caller, directory, gated } = await startByHand(t);
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
      clock.pass(10);
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
    t.is(directory.openMessages, 0);
  },
);

test.serial(
  'a call that is given up while it runs keeps its slot until it has replied: nobody gets its late reply',
  async (t) => {
    const started = await testActors({ gated: { class: Gated, kind: 'pool', concurrency: 8 } });
    t.teardown(() => started.close());
    const { gated } = started.actors;
    const late = t.throwsAsync(gated.answer('late', { deadlineMs: 10 }), { code: 'SLUICE_ACTOR_DEADLINE' });
    await started.clock.advance(10);
    await late;
    const others = ['a', 'b', 'c'].map((name) => gated.answer(name));
    await started.settled();
    gate('late').resolve();
    await started.settled();
    for (const name of ['c', 'b', 'a']) gate(name).resolve();
    t.deepEqual(await Promise.all(others), ['a', 'b', 'c']);
  },
);

test.serial(
  'a generator that is deaf to its abort holds its instance until its grace is over, and no longer',
  async (t) => {
    const started = await testActors({ gated: { class: Gated, kind: 'single', streamGraceMs: 100 } });
    t.teardown(() => started.close());
    const { gated } = started.actors;
    for await (const item of gated.deaf('deaf')) {
      t.is(item, 'deaf 1');
      break;
    }
    const waiting = gated.echo('next');
    await started.clock.advance(99);
    t.deepEqual(told, [], 'its instance is still held');
    await started.clock.advance(1);
    t.is(await waiting, 'next');
    gate('deaf').resolve();
    await started.settled();
    t.true(told.includes('returned deaf'), 'its finally runs when what it waited for has come');
  },
);

test.serial(
  'what a generator gives when its grace is over reaches no stream that has its slot',
  async (t) => {
    const started = await testActors({
      gated: { class: Gated, kind: 'pool', concurrency: 8, streamGraceMs: 100 },
    });
    t.teardown(() => started.close());
    const { gated } = started.actors;
    for await (const item of gated.deaf('left')) {
      t.is(item, 'left 1');
      break;
    }
    await started.clock.advance(100);
    const names = ['a', 'b', 'c'];
    const streams = names.map((name) => gated.deaf(name)[Symbol.asyncIterator]());
    for (const [index, name] of names.entries()) {
      t.deepEqual(await streams[index]?.next(), { done: false, value: `${name} 1` });
    }
    gate('left').resolve();
    await started.settled();
    t.true(told.includes('returned left'));
    for (const [index, name] of names.entries()) {
      gate(name).resolve();
      t.deepEqual(await streams[index]?.next(), { done: false, value: `${name} 2` });
      t.deepEqual(await streams[index]?.next(), { done: true, value: undefined });
    }
  },
);

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
