/** A pool actor with several threads over direct channels: its caller chooses the thread, as the reactor does for calls that it gives. */
import test, { type ExecutionContext } from 'ava';
import type { TestThread } from '../../../runtime/testing/hosts.ts';
import type { ActorContext } from '../../../workers/actors/actors.ts';
import { Pair, type PairOptions } from './pair.ts';

const gates = new Map<string, PromiseWithResolvers<void>>();
/** What has begun, and where. */
const begun = new Map<string, string>();

function gate(name: string): PromiseWithResolvers<void> {
  let known = gates.get(name);
  if (known === undefined) {
    known = Promise.withResolvers<void>();
    gates.set(name, known);
  }
  return known;
}

class Work {
  readonly #thread: string;

  constructor({ thread }: ActorContext) {
    this.#thread = thread;
  }

  where(): string {
    return this.#thread;
  }

  async wait(name: string): Promise<string> {
    begun.set(name, this.#thread);
    await gate(name).promise;
    return this.#thread;
  }

  async *count(to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n++) yield n;
  }
}

test.beforeEach(() => {
  gates.clear();
  begun.clear();
});

interface Started {
  readonly pair: Pair;
  readonly hosts: readonly [TestThread, TestThread];
}

async function startTwo(
  t: ExecutionContext,
  settings: object = {},
  options: PairOptions = {},
): Promise<Started> {
  const of = { class: Work, pool: 'work', settings: { kind: 'pool', concurrency: 16, ...settings } };
  const pair = new Pair({ work: of }, options);
  t.teardown(() => pair.close());
  const hosts = [await pair.start('work'), await pair.start('work')] as const;
  await pair.settle();
  return { pair, hosts };
}

const work = (pair: Pair, caller = 0) => pair.handle<typeof Work>('work', caller);

async function join(pair: Pair, threads = 2, caller = 0): Promise<void> {
  const before = pair.directory.direct.conversations;
  for (let tries = 0; pair.directory.direct.conversations < before + threads; tries++) {
    if (tries > 100) throw new Error('it does not join');
    await work(pair, caller).where();
    await pair.settle();
  }
}

/** Asks that wait at gates of these names. */
function waiting(pair: Pair, names: readonly string[], caller = 0): Promise<string>[] {
  return names.map((name) => work(pair, caller).wait(name));
}

function count(threads: Iterable<string>): { [thread: string]: number } {
  const counted: { [thread: string]: number } = {};
  for (const thread of threads) counted[thread] = (counted[thread] ?? 0) + 1;
  return counted;
}

test.serial(
  'each call goes to the thread with less to do, and the reactor hears of none of them',
  async (t) => {
    const { pair } = await startTwo(t);
    await join(pair);
    t.is(pair.directory.direct.size, 2);
    const { received } = pair.turns;
    const names = Array.from({ length: 10 }, (_, n) => `${n}`);
    const all = waiting(pair, names);
    await pair.settle();
    t.deepEqual(count(begun.values()), { 'work-1': 5, 'work-2': 5 });
    for (const name of names) gate(name).resolve();
    t.deepEqual(
      await Promise.all(all),
      names.map((name) => begun.get(name)),
    );
    const counted: number[] = [];
    for await (const n of work(pair).count(20)) counted.push(n);
    t.is(counted.length, 20);
    await pair.settle();
    t.is(pair.turns.received, received, 'messages that the reactor has received');
  },
);

test.serial('what only the reactor can see to goes that way, and the talk goes on', async (t) => {
  const { pair } = await startTwo(t);
  await join(pair);
  const { tally } = pair.directory.direct;
  const { conversations } = tally;
  await work(pair).tell.where();
  await work(pair).where({ hard: true });
  t.is((await work(pair).each.where()).length, 2);
  await pair.settle();
  t.is(pair.directory.direct.conversations, 2);
  t.is(tally.conversations, conversations, 'none was joined anew');
});

test.serial('a thread that runs calls of other callers has less room than one that runs none', async (t) => {
  const { pair } = await startTwo(t, { concurrency: 1 }, { callers: 2 });
  await join(pair, 2, 0);
  await join(pair, 2, 1);
  const first = waiting(pair, ['first'], 0);
  await pair.settle();
  const second = waiting(pair, ['second'], 1);
  await pair.settle();
  t.is(new Set(begun.values()).size, 2, 'each runs on a thread of its own');
  for (const name of ['first', 'second']) gate(name).resolve();
  await Promise.all([...first, ...second]);
});

test.serial('what waits behind a computation goes to a thread that has nothing to do', async (t) => {
  const { pair, hosts } = await startTwo(t, { deadlineMs: 60_000 });
  await join(pair);
  const [computes] = hosts;
  pair.hold(computes);
  const names = ['a', 'b', 'c', 'd'];
  const all = waiting(pair, names);
  for (const name of names) gate(name).resolve();
  await pair.settle();
  t.is(begun.size, 2, 'half of them have been given to the thread that computes');
  // The first of those has waited since somebody looked, the second since then.
  await pair.pass(1_000);
  await pair.pass(1_000);
  t.deepEqual(
    await Promise.all(all),
    names.map(() => 'work-2'),
  );
  pair.release(computes);
  await pair.settle();
  t.deepEqual(count(begun.values()), { 'work-2': 4 }, 'none has begun twice');
  const again = waiting(pair, ['e', 'f']);
  for (const name of ['e', 'f']) gate(name).resolve();
  t.is(new Set(await Promise.all(again)).size, 2, 'and it takes calls again');
});

test.serial('a thread that dies: what has begun fails, and what has not runs on the other', async (t) => {
  const { pair, hosts } = await startTwo(t, { concurrency: 1 });
  await join(pair);
  const names = ['a', 'b', 'c', 'd'];
  const all = waiting(pair, names);
  await pair.settle();
  t.is(begun.size, 2);
  hosts[0].die();
  for (const name of names) gate(name).resolve();
  const outcomes = await Promise.allSettled(all);
  t.is(outcomes.filter(({ status }) => status === 'rejected').length, 1);
  t.like(
    outcomes.find(({ status }) => status === 'rejected'),
    {
      reason: { code: 'SLUICE_ACTOR_DIED', begun: 'yes' },
    },
  );
  t.is(begun.size, 4);
  await pair.settle();
  t.is(pair.directory.openMessages, 0);
});

test.serial('a thread that starts takes part, and one that leaves does not', async (t) => {
  const { pair, hosts } = await startTwo(t);
  await join(pair);
  await pair.start('work');
  await pair.settle();
  t.is(pair.directory.direct.conversations, 0, 'all are called back, as there is another one to choose');
  await join(pair, 3);
  const names = ['a', 'b', 'c'];
  const all = waiting(pair, names);
  await pair.settle();
  t.is(new Set(begun.values()).size, 3);
  const left = hosts[0].side.leave(() => undefined);
  await pair.settle();
  for (const name of names) gate(name).resolve();
  await Promise.all(all);
  await left;
  t.deepEqual(
    [...new Set(await Promise.all([1, 2, 3].map(() => work(pair).where())))].includes('work-1'),
    false,
  );
});

test.serial('where there are not channels enough for all of its threads, it joins none', async (t) => {
  const { pair } = await startTwo(t, {}, { maxChannels: 1 });
  for (let n = 0; n < 40; n++) {
    t.regex(await work(pair).where(), /^work-/);
    await pair.settle();
  }
  const { size, conversations, tally } = pair.directory.direct;
  t.deepEqual([size, conversations, tally.channels], [0, 0, 0]);
  t.true(tally.refused > 0);
});

test.serial('a channel that others need has the talk give back all of its channels', async (t) => {
  const { pair } = await startTwo(t, {}, { maxChannels: 3, callers: 2 });
  await join(pair, 2, 0);
  // The directory has looked once, so that channels that were not used since then may be taken.
  await pair.pass(1_000);
  for (let n = 0; n < 200 && pair.directory.direct.tally.conversations < 4; n++) {
    await work(pair, 1).where();
    await pair.settle();
  }
  t.is(pair.directory.direct.conversations, 2);
  t.regex(await work(pair, 0).where(), /^work-/);
  t.regex(await work(pair, 1).where(), /^work-/);
});

test.serial('the mailbox is bounded over all of its threads together', async (t) => {
  const { pair } = await startTwo(t, { mailboxMessages: 8, concurrency: 1, callerMessages: 100 });
  await join(pair);
  const names = Array.from({ length: 12 }, (_, n) => `${n}`);
  const all = Promise.allSettled(waiting(pair, names));
  await pair.settle();
  for (const name of names) gate(name).resolve();
  const outcomes = await all;
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  t.is(refused.length, 4);
  for (const each of refused)
    t.like(each, { reason: { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true } });
  await pair.settle();
  t.is(pair.directory.openMessages, 0);
});
