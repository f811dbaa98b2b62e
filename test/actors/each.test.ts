/** Calls for every instance of an actor: what each answers, and what becomes of those that cannot. */
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import { type ActorContext, type ActorError, actor, type Call } from '../../workers/actors/actors.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actors, startActorServer } from './actor-server.ts';
import type { Described } from './applications/caller.ts';

function signalsOf(t: ExecutionContext): Signals {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  return signals;
}

function threadOf({ server }: ActorServer, name: string) {
  for (const pool of server.parts.pools) {
    for (const thread of pool.threads) if (thread.name === name) return { pool, thread };
  }
  throw new Error(`no thread ${name}`);
}

function byThread(value: unknown): Described[] {
  return (value as Described[]).toSorted((a, b) => (a.thread < b.thread ? -1 : 1));
}

const alone = { ...actors, tasks: { pool: 'tasks', export: 'Tasks', kind: 'pool', concurrency: 1 } as const };

test('each instance of a pool answers once, with its thread', async (t) => {
  const { ask } = await startActorServer(t, { tasks: 3 });
  const [asked, unknown, stream] = await ask(
    { actor: 'tasks', method: 'where', each: true },
    { actor: 'tasks', method: 'missing', each: true },
    { actor: 'tasks', method: 'echo', each: true, feed: { count: 1 } },
  );
  t.deepEqual(
    byThread(asked?.value),
    ['tasks-1', 'tasks-2', 'tasks-3'].map((thread) => ({
      status: 'fulfilled',
      value: thread,
      thread,
      key: '',
    })),
  );
  t.like(unknown?.error, { code: 'SLUICE_ACTOR_METHOD_UNKNOWN', at: 'call' });
  t.like(stream?.error, { code: 'SLUICE_MESSAGE_INVALID', begun: 'no' });
  t.regex(stream?.error?.message ?? '', /in a call to each instance.*got a stream at arguments\[0\]/);
});

test('an instance whose thread ends has its part: begun or not, the others answer', async (t) => {
  const started = await startActorServer(t, { actors: alone, tasks: 2 });
  const { ask, log, server } = started;
  const signals = signalsOf(t);
  const begun = signals.until('begun', 2);
  const hold = { actor: 'tasks', method: 'hold', args: [signals.name, 'go'], each: true };
  const both = ask(hold, { actor: 'tasks', method: 'where', each: true });
  await begun;
  const died = log.until('thread died');
  const { pool, thread } = threadOf(started, 'tasks-1');
  void pool.workerOf(thread)?.terminate();
  await died;
  signals.tell('go');
  const [held, where] = await both;
  const [first, second] = byThread(held?.value);
  t.like(first, { status: 'rejected', thread: 'tasks-1' });
  t.like(first?.reason, { code: 'SLUICE_ACTOR_DIED', begun: 'yes' });
  t.like(second, { status: 'fulfilled', value: 'tasks-2' });
  const [unbegun, answered] = byThread(where?.value);
  t.like(unbegun?.reason, { code: 'SLUICE_ACTOR_DIED', begun: 'no', retryable: true });
  t.like(answered, { status: 'fulfilled', value: 'tasks-2' });
  t.is(server.parts.actors?.openMessages, 0);
});

test('what is for the instance of a thread that another replaces runs there to its end', async (t) => {
  const started = await startActorServer(t, { actors: alone, tasks: 1 });
  const { ask } = started;
  const signals = signalsOf(t);
  const begun = signals.until('begun');
  const hold = { actor: 'tasks', method: 'hold', args: [signals.name, 'go'], each: true };
  const both = ask(hold, { actor: 'tasks', method: 'where', each: true });
  await begun;
  const { pool, thread } = threadOf(started, 'tasks-1');
  const replaced = pool.renewal.replaceThread(thread);
  // What the server knows: nothing tells of it.
  const isLeaving = () =>
    [...(started.server.parts.actors?.links ?? [])].some(
      ({ name, state }) => name === 'tasks-1' && state === 'leaving',
    );
  while (!isLeaving()) await ask({ actor: 'counter', key: 'k', method: 'where' });
  signals.tell('go');
  for (const { value } of await both) {
    t.deepEqual(value, [{ status: 'fulfilled', value: 'tasks-1', thread: 'tasks-1', key: '' }]);
  }
  await replaced;
  t.deepEqual(byThread((await ask({ actor: 'tasks', method: 'where', each: true }))[0]?.value).length, 1);
});

test('instances whose mailbox is full refuse their part, and the others answer', async (t) => {
  const tasks = { ...alone.tasks, mailboxMessages: 1 };
  const counter = { pool: 'state', export: 'Counter', kind: 'keyed', mailboxMessages: 1 } as const;
  const { ask } = await startActorServer(t, { actors: { ...alone, tasks, counter }, tasks: 2 });
  const signals = signalsOf(t);
  const begun = signals.until('begun', 2);
  const held = ask({ actor: 'tasks', method: 'hold', args: [signals.name, 'go'], each: true });
  await begun;
  const [full] = await ask({ actor: 'tasks', method: 'where', each: true });
  const refused = byThread(full?.value);
  t.deepEqual(
    refused.map(({ thread }) => thread),
    ['tasks-1', 'tasks-2'],
  );
  for (const { reason } of refused) {
    t.like(reason, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true });
  }

  const keys = ['a', 'b', 'c', 'd'];
  await ask(...keys.map((key) => ({ actor: 'counter', key, method: 'where' })));
  const holding = signals.until('go-begun');
  const heldOne = ask({ actor: 'counter', key: 'b', method: 'hold', args: [signals.name, 'go'] });
  await holding;
  const [most] = await ask({ actor: 'counter', method: 'add', args: [1], each: true });
  const parts = (most?.value as Described[] | undefined)?.toSorted((x, y) => (x.key < y.key ? -1 : 1)) ?? [];
  t.deepEqual(
    parts.map(({ key, status }) => `${key} ${status}`),
    ['a fulfilled', 'b rejected', 'c fulfilled', 'd fulfilled'],
  );
  t.like(parts[1]?.reason, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true });
  signals.tell('go');
  t.is(byThread((await held)[0]?.value).filter(({ status }) => status === 'fulfilled').length, 2);
  t.deepEqual(await heldOne, [{ value: 'go' }]);
  t.deepEqual(await ask({ actor: 'counter', key: 'b', method: 'add', args: [1] }), [{ value: 1 }]);
});

test('an abort of it reaches every instance', async (t) => {
  const { ask, server } = await startActorServer(t, { tasks: 2 });
  const signals = signalsOf(t);
  const waiting = signals.until('waiting', 2);
  const aborted = signals.until('aborted', 2);
  const given = ask({
    actor: 'tasks',
    method: 'untilAborted',
    args: [signals.name],
    each: true,
    abortOn: [signals.name, 'enough'],
  });
  await waiting;
  signals.tell('enough');
  t.like((await given)[0]?.error, { code: 'SLUICE_ACTOR_ABORTED', by: 'caller' });
  await aborted;
  t.deepEqual(await ask({ actor: 'tasks', method: 'echo', args: [1] }), [{ value: 1 }]);
  t.is(server.parts.actors?.openMessages, 0);
});

class Room {
  readonly #key: string;
  constructor(key: string, _context: ActorContext) {
    this.#key = key;
  }
  name(): string {
    if (this.#key === 'closed') throw new RangeError('it is closed');
    return this.#key;
  }
  /** The names of all rooms, as this one has them told. */
  async all(): Promise<(string | undefined)[]> {
    const results = await actor<typeof Room>('rooms').each.name();
    return results.map((result) =>
      result.status === 'fulfilled' ? result.value : (result.reason as ActorError).code,
    );
  }
  async *names(): AsyncGenerator<string> {
    yield this.#key;
  }
  async waits(call: Call): Promise<void> {
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
  }
}

test.serial('of a keyed actor the instances that there are answer, and none is made', async (t) => {
  const rooms = { class: Room, kind: 'keyed', callerMessages: 3 } as const;
  const started = await testActors({ rooms });
  t.teardown(() => started.close());
  const { each, of } = started.actors.rooms;
  t.deepEqual(await each.name(), [], 'there is none yet');
  for (const key of ['a', 'b']) await of(key).name();
  await t.throwsAsync(of('closed').name(), { instanceOf: RangeError });
  const results = await each.name();
  t.deepEqual(
    results.map(({ key, status }) => [key, status]),
    [
      ['a', 'fulfilled'],
      ['b', 'fulfilled'],
      ['closed', 'rejected'],
    ],
  );
  t.like(results[2], { reason: { name: 'RangeError', message: 'it is closed' }, thread: 'rooms-1' });
  // @ts-expect-error: a stream has no single answer
  t.throws(() => each.names(), {
    code: 'SLUICE_ACTOR_METHOD_UNKNOWN',
    message: /names replies with a stream/,
  });
  t.deepEqual(
    await of('a').all(),
    ['SLUICE_ACTOR_CYCLE', 'b', undefined],
    'the one that asks is its own circle',
  );
  await of('fourth').name();
  await t.throwsAsync(each.name(), {
    code: 'SLUICE_ACTOR_OVERLOADED',
    message: /expected at most 3 instances in a call for each, there are 4/,
  });
  await started.clock.advance(60_000);
  t.deepEqual(await each.name(), [], 'they were idle, and have stopped');
});

test.serial('its deadline gives all of it up', async (t) => {
  const started = await testActors({ rooms: Room });
  t.teardown(() => started.close());
  const { each, of } = started.actors.rooms;
  await of('a').name();
  await of('b').name();
  const late = t.throwsAsync(each.waits({ deadlineMs: 100 }), { code: 'SLUICE_ACTOR_DEADLINE' });
  await started.clock.advance(100);
  await late;
  t.is(await of('a').name(), 'a', 'the instances go on');
});

let open: () => void = () => undefined;

class Busy {
  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      open = resolve;
    });
  }

  note(): string {
    return 'noted';
  }
}

test.serial(
  'what waits for any thread of a pool begins when a call for each has given its place back',
  async (t) => {
    const settings = { kind: 'pool', concurrency: 1, aheadMessages: 0 } as const;
    const started = await testActors({ busy: { class: Busy, ...settings } });
    t.teardown(() => started.close());
    const each = started.actors.busy.each.wait();
    await started.settled();
    const waits = started.actors.busy.note();
    await started.settled();
    open();
    await each;
    t.is(await waits, 'noted');
  },
);
