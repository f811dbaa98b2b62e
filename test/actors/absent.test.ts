/** Calls for actors whose thread has died and has no successor yet, does not read, leaves, or ends with the server. */
import test, { type ExecutionContext } from 'ava';
import type { TestThread } from '../../runtime/testing/hosts.ts';
import type { ActorError, Client } from '../../workers/actors/actors.ts';
import { type Pair, RECALL_AFTER_MS, startPair } from './direct/pair.ts';
import { forgetGates, gate } from './gates.ts';

const told: string[] = [];

test.beforeEach(() => {
  told.length = 0;
  forgetGates();
});

class Notes {
  async wait(name: string): Promise<string> {
    told.push(name);
    await gate(name).promise;
    return name;
  }

  note(word: string): string {
    told.push(word);
    return word;
  }
}

class KeyedNotes extends Notes {
  readonly key: string;

  constructor(key: string, _context: unknown) {
    super();
    this.key = key;
  }
}

const kinds = {
  keyed: (pair: Pair): Client<Notes> => pair.handle<typeof KeyedNotes>('notes').of('k'),
  single: (pair: Pair): Client<Notes> => pair.handle<typeof Notes>('notes'),
  pool: (pair: Pair): Client<Notes> => pair.handle<typeof Notes>('notes'),
};

async function startWithoutThread(t: ExecutionContext, kind: keyof typeof kinds, maxChannels: number) {
  const settings = { kind, mailboxMessages: 4, deadlineMs: 1_000 };
  const Class = kind === 'keyed' ? KeyedNotes : Notes;
  const pair = await startPair(t, { notes: { class: Class, pool: 'state', settings } }, { maxChannels });
  const notes = kinds[kind](pair);
  await notes.note('lives');
  await pair.settle();
  (pair.hosts.get('state') as TestThread).die();
  await pair.settle();
  told.length = 0;
  return { pair, notes };
}

for (const kind of ['keyed', 'single', 'pool'] as const) {
  for (const [over, maxChannels] of [
    ['', 0],
    [', with direct channels', 8],
  ] as const) {
    test.serial(
      `a ${kind} actor without a thread: calls whose deadline passes never begin, and the others run in order when one has come${over}`,
      async (t) => {
        const { pair, notes } = await startWithoutThread(t, kind, maxChannels);
        await notes.tell.note('told early', { deadlineMs: 50 });
        const early = notes.note('early', { deadlineMs: 100 });
        const late = notes.note('late');
        await notes.tell.note('told late');
        await t.throwsAsync(notes.tell.note('over'), { code: 'SLUICE_ACTOR_OVERLOADED' });
        let isEarlyOver = false;
        const given = t.throwsAsync(early, { code: 'SLUICE_ACTOR_DEADLINE' }).then(() => {
          isEarlyOver = true;
        });
        await pair.pass(49);
        t.deepEqual(pair.lost, []);
        await pair.pass(1);
        t.deepEqual(pair.lost, ['its deadline passed while it waited'], 'of the tell');
        await pair.pass(49);
        t.false(isEarlyOver);
        await pair.pass(1);
        await given;
        // There is room again.
        await notes.tell.note('told after');
        await pair.pass(800);
        t.deepEqual(told, []);
        await pair.start('state');
        t.is(await late, 'late');
        await pair.settle();
        t.deepEqual(told, ['late', 'told late', 'told after']);
        t.is(pair.lost.length, 1);
        t.is(pair.directory.openMessages, 0);
      },
    );
  }
}

test.serial('a key whose only message expires before there is a thread for it is forgotten', async (t) => {
  const settings = { maxKeys: 1 };
  const pair = await startPair(t, { notes: { class: KeyedNotes, pool: 'state', settings } });
  const notes = pair.handle<typeof KeyedNotes>('notes');
  (pair.hosts.get('state') as TestThread).die();
  await notes.of('first').tell.note('never', { deadlineMs: 100 });
  await t.throwsAsync(notes.of('second').tell.note('refused'), { code: 'SLUICE_ACTOR_OVERLOADED' });
  await pair.pass(100);
  t.deepEqual(pair.lost, ['its deadline passed while it waited']);
  await notes.of('second').tell.note('second');
  await pair.start('state');
  await pair.settle();
  t.deepEqual(told, ['second']);
});

test.serial(
  'a key whose only message expires before its thread takes it is idle from then on, and stops',
  async (t) => {
    const settings = { idleMs: 5_000, maxMessageBytes: 20_000 };
    const memory = { ringBytes: 65_536, backlogBytes: 65_536 };
    const pair = await startPair(t, { notes: { class: KeyedNotes, pool: 'state', settings } }, { memory });
    const host = pair.hosts.get('state') as TestThread;
    const notes = pair.handle<typeof KeyedNotes>('notes');
    pair.hold(host);
    // More than the ring holds.
    const large = 'x'.repeat(15_000);
    for (let n = 0; n < 8; n++) await notes.of('first').tell.note(large);
    await notes.of('second').tell.note(large, { deadlineMs: 100 });
    await pair.pass(100);
    pair.release(host);
    await pair.settle();
    t.is(told.length, 8);
    t.is(pair.lost.length, 1);
    const { mailboxes } = pair.directory.actors[0] as { mailboxes: ReadonlyMap<string, unknown> };
    t.is(mailboxes.size, 2);
    await pair.pass(5_000);
    t.is(mailboxes.size, 0);
  },
);

test.serial(
  'a server that ends: what waits for a thread, and what is asked of an actor without one, fails and has not begun',
  async (t) => {
    const { pair, notes } = await startWithoutThread(t, 'keyed', 0);
    const waits = notes.note('waits');
    await notes.tell.note('told');
    let isDrained = false;
    void pair.directory.drain().then(() => {
      isDrained = true;
    });
    const stopped = { code: 'SLUICE_ACTOR_STOPPED' };
    const late = await t.throwsAsync<ActorError>(notes.note('late'), stopped);
    t.like(late, { begun: 'no', by: 'server', retryable: true });
    t.regex(late?.message ?? '', /the server stops/);
    t.false(isDrained, 'a thread may still come for what was accepted before');
    pair.directory.end();
    t.like(await t.throwsAsync<ActorError>(waits, stopped), { begun: 'no', by: 'server', retryable: true });
    t.deepEqual(pair.lost, ['notes: the server stops']);
    await pair.settle();
    t.true(isDrained);
    t.deepEqual(told, []);
  },
);

test.serial(
  'a call for each whose thread ends or leaves: the part that had not begun says so, and may be tried again',
  async (t) => {
    const settings = { kind: 'pool', concurrency: 1, aheadMessages: 0 };
    const pair = await startPair(t, { notes: { class: Notes, pool: 'state', settings } });
    const { each } = pair.handle<typeof Notes>('notes');
    for (const [how, code, says] of [
      ['dies', 'SLUICE_ACTOR_DIED', /its thread state-1 ended before the method began/],
      ['leaves', 'SLUICE_ACTOR_STOPPED', /its thread state-2 is replaced/],
    ] as const) {
      const held = each.wait(how);
      const behind = each.note('behind');
      await pair.settle();
      const old = pair.hosts.get('state') as TestThread;
      await pair.start('state');
      if (how === 'dies') old.die();
      else void old.side.leave(() => undefined);
      const [part] = await behind;
      if (part?.status !== 'rejected') throw new Error(`it is ${part?.status}`);
      t.like(part.reason, { code, begun: 'no', retryable: true });
      t.regex((part.reason as Error).message, says);
      gate(how).resolve();
      const [begun] = await held;
      if (how === 'leaves') t.like(begun, { status: 'fulfilled', value: how });
      else t.like(begun, { status: 'rejected', reason: { code, begun: 'yes', retryable: false } });
    }
    t.deepEqual(told, ['dies', 'leaves']);
    await pair.settle();
    t.is(pair.directory.openMessages, 0);
  },
);

for (const [over, maxChannels] of [
  ['', 0],
  [', over direct channels', 8],
] as const) {
  test.serial(
    `recallAfterMs: what a thread has not begun for so long goes on to one after the other without calls of the actor, until one begins it${over}`,
    async (t) => {
      const settings = { kind: 'pool', concurrency: 1, deadlineMs: 100 * RECALL_AFTER_MS };
      const pair = await startPair(t, { notes: { class: Notes, pool: 'state', settings } }, { maxChannels });
      const hosts = new Map([['state-1', pair.hosts.get('state') as TestThread]]);
      for (const name of ['state-2', 'state-3']) hosts.set(name, await pair.start('state'));
      await pair.settle();
      const notes = pair.handle<typeof Notes>('notes');
      for (let tries = 0; pair.directory.direct.conversations < (maxChannels > 0 ? 3 : 0); tries++) {
        if (tries > 100) throw new Error('it does not join');
        await notes.note('joins');
        await pair.settle();
      }
      told.length = 0;
      // As threads that compute, and nothing of the actor: only the last one reads.
      for (const host of hosts.values()) pair.hold(host);
      const asked = notes.note('asked');
      await pair.settle();
      const last = pair.directory.actors[0]?.links.at(-1)?.name ?? '';
      pair.release(hosts.get(last) as TestThread);
      const look = async (ms: number) => {
        await pair.pass(ms);
        pair.directory.rebalance(pair.clock.nowMs);
        await pair.settle();
      };
      await look(RECALL_AFTER_MS - 1);
      t.deepEqual(told, []);
      await look(1);
      t.deepEqual(told, [], 'the next one does not read either');
      // The direct way looks at what was given before its last look.
      for (let looks = 0; looks < 3; looks++) await look(RECALL_AFTER_MS);
      t.deepEqual(told, ['asked']);
      await asked;
      pair.directory.direct.callBackAll();
      await pair.settle();
      t.is(pair.directory.openMessages, 0);
    },
  );
}
