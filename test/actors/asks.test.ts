/** Asks and tells from an application's thread to actors in others, over a whole server. */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { ActorDirectory } from '../../runtime/actors/directory.ts';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actors, startActorServer } from './actor-server.ts';

const scope = new FileScope();
let shared: ActorServer;
test.before(async () => {
  shared = await startActorServer(scope);
});
test.after.always(() => scope.end());

function channel(t: { teardown(close: () => void): void }): Signals {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  return signals;
}

test('an ask resolves with what the method returns, each value as it is', async (t) => {
  const value = { text: 'é\u{1f600}', list: [1, -2.5, null], nested: { yes: true } };
  const [outcome] = await shared.ask({ actor: 'tasks', method: 'echo', args: [value] });
  t.deepEqual(outcome, { value });
});

test('a key has one instance, which runs one method to its end before the next, in order', async (t) => {
  const adds = Array.from({ length: 50 }, () => ({ actor: 'counter', key: 'one', method: 'add', args: [1] }));
  const outcomes = await shared.ask(...adds);
  t.deepEqual(
    outcomes.map(({ value }) => value),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  const [peeked] = await shared.ask({ actor: 'counter', key: 'one', method: 'peek' });
  t.like(peeked?.value, { n: 50, most: 1, key: 'one' });
});

test('keys live on all threads of their pool, each on one', async (t) => {
  const keys = Array.from({ length: 20 }, (_, index) => `spread-${index}`);
  const threads = async () =>
    (await shared.ask(...keys.map((key) => ({ actor: 'counter', key, method: 'peek' })))).map(
      ({ value }) => (value as { thread: string }).thread,
    );
  const first = await threads();
  t.is(new Set(first).size, 2);
  t.deepEqual(await threads(), first);
});

test('a tell resolves when it is in the mailbox, before it is handled', async (t) => {
  const signals = channel(t);
  const begun = signals.until('go-begun');
  const hold = { actor: 'counter', key: 'told', method: 'hold', args: [signals.name, 'go'], tell: true };
  t.deepEqual(await shared.ask(hold), [{}]);
  await begun;
  const [told] = await shared.ask({ actor: 'counter', key: 'told', method: 'add', args: [5], tell: true });
  t.deepEqual(told, {}, 'also while another one runs');
  signals.tell('go');
  const [added] = await shared.ask({ actor: 'counter', key: 'told', method: 'add', args: [1] });
  t.is(added?.value, 6);
});

test('what interleaves runs while another method does', async (t) => {
  const signals = channel(t);
  const begun = signals.until('go-begun');
  const held = shared.ask({ actor: 'counter', key: 'busy', method: 'hold', args: [signals.name, 'go'] });
  await begun;
  const [peeked] = await shared.ask({ actor: 'counter', key: 'busy', method: 'peek' });
  t.like(peeked?.value, { n: 0 });
  signals.tell('go');
  t.deepEqual(await held, [{ value: 'go' }]);
});

test("an application's error arrives with name, message and code", async (t) => {
  const [outcome] = await shared.ask({ actor: 'counter', key: 'x', method: 'fails' });
  t.like(outcome?.error, { name: 'RangeError', message: 'too much', code: 'TOO_MUCH', at: 'settled' });
});

test('a failed start is the error of the calls that waited for it, and the next call starts anew', async (t) => {
  for (const [key, name] of [
    ['unstartable', 'TypeError'],
    ['unbuildable', 'RangeError'],
  ] as const) {
    for (let round = 0; round < 2; round++) {
      const add = { actor: 'counter', key, method: 'add', args: [1] };
      const outcomes = await shared.ask(add, add);
      t.deepEqual(
        outcomes.map(({ error }) => error?.name),
        [name, name],
      );
    }
  }
});

test('an actor that is not there: the error lists those that are', async (t) => {
  const [outcome] = await shared.ask({ actor: 'conter', method: 'add' });
  t.like(outcome?.error, { code: 'SLUICE_ACTOR_UNKNOWN', begun: 'no', at: 'call' });
  t.regex(outcome?.error?.message ?? '', /counter, relay, tasks.*got "conter"/);
});

test('a method that is not there throws at once and names those that are', async (t) => {
  for (const [name, key] of [
    ['tasks', undefined],
    ['counter', 'k'],
  ] as const) {
    const [outcome] = await shared.ask({ actor: name, ...(key && { key }), method: 'nothing' });
    t.like(outcome?.error, { code: 'SLUICE_ACTOR_METHOD_UNKNOWN', begun: 'no', at: 'call' });
    t.regex(outcome?.error?.message ?? '', name === 'tasks' ? /echo/ : /peek/);
  }
  for (const method of ['start', 'stop']) {
    const [outcome] = await shared.ask({ actor: 'counter', key: 'k', method });
    t.like(outcome?.error, { code: 'SLUICE_ACTOR_METHOD_UNKNOWN' }, `${method} is not for others to call`);
  }
});

test('a key where there is none, none where there is one, and one that is no key', async (t) => {
  const outcomes = await shared.ask(
    { actor: 'tasks', key: 'k', method: 'echo' },
    { actor: 'counter', method: 'add' },
    { actor: 'counter', key: 'x'.repeat(513), method: 'add' },
  );
  for (const { error } of outcomes) t.like(error, { code: 'SLUICE_ACTOR_KEY_INVALID', at: 'call' });
});

test('A calls B calls A: a circle is refused at once, and A answers', async (t) => {
  const [outcome] = await shared.ask({ actor: 'counter', key: 'ring', method: 'around' });
  t.like(outcome?.error, { code: 'SLUICE_ACTOR_CYCLE' });
  const [peeked] = await shared.ask({ actor: 'counter', key: 'ring', method: 'add', args: [1] });
  t.is(peeked?.value, 1);
  const [interleaved] = await shared.ask({ actor: 'counter', key: 'ring', method: 'peekAround' });
  t.is(interleaved?.value, 1, 'what interleaves is no circle');
});

test('a call has no more time than the call that it is made for', async (t) => {
  const [outcome] = await shared.ask({ actor: 'relay', method: 'remaining', deadlineMs: 9_000 });
  t.true((outcome?.value as number) <= 9_000 && (outcome?.value as number) > 0);
  const [alone] = await shared.ask({ actor: 'tasks', method: 'remaining' });
  t.true((alone?.value as number) > 9_000);
});

test('an aborted call rejects at once, and the abort reaches what it has called', async (t) => {
  const signals = channel(t);
  const waiting = signals.until('waiting');
  const aborted = signals.until('aborted');
  const asked = shared.ask({
    actor: 'relay',
    method: 'waits',
    args: [signals.name],
    abortOn: [signals.name, 'enough'],
  });
  await waiting;
  signals.tell('enough');
  const [given] = await asked;
  t.like(given?.error, { code: 'SLUICE_ACTOR_ABORTED', begun: 'unknown', by: 'caller' });
  await aborted;
  const [outcome] = await shared.ask({ actor: 'tasks', method: 'echo', args: [1], abort: true });
  t.like(outcome?.error, { code: 'SLUICE_ACTOR_ABORTED', by: 'caller' });
  t.deepEqual(await shared.ask({ actor: 'tasks', method: 'echo', args: [2] }), [{ value: 2 }]);
});

test('returned: a Set, a function, __proto__, more than fits; thrown: a circle without a stack', async (t) => {
  const returns = (what: string) => ({ actor: 'tasks', method: 'returns', args: [what] });
  const [set, fn, proto, large, thrown, after] = await shared.ask(
    returns('set'),
    returns('function'),
    returns('proto'),
    returns('large'),
    { actor: 'tasks', method: 'throws' },
    { actor: 'tasks', method: 'echo', args: ['alive'] },
  );
  // JSON has no Set: that it arrives as one is payload.test.ts's.
  t.deepEqual(set, { value: {} });
  t.like(fn?.error, { code: 'SLUICE_MESSAGE_INVALID', begun: 'yes', by: 'actor' });
  t.regex(fn?.error?.message ?? '', /result\.inner\[0\]: expected plain data, got a function/);
  t.like(proto?.error, { code: 'SLUICE_MESSAGE_INVALID' });
  t.regex(proto?.error?.message ?? '', /result\.__proto__/);
  t.like(large?.error, { code: 'SLUICE_MESSAGE_TOO_LARGE', begun: 'yes' });
  t.like(thrown?.error, { name: 'AggregateError', message: 'many' });
  t.deepEqual(after, { value: 'alive' });
});

test('a mailbox that is full refuses, retryable, and another key does not notice', async (t) => {
  const { ask } = await startActorServer(t, {
    actors: { ...actors, counter: { pool: 'state', export: 'Counter', kind: 'keyed', mailboxMessages: 4 } },
  });
  const signals = channel(t);
  const begun = signals.until('go-begun');
  const held = ask({ actor: 'counter', key: 'full', method: 'hold', args: [signals.name, 'go'] });
  await begun;
  const tell = { actor: 'counter', key: 'full', method: 'add', args: [1], tell: true };
  const outcomes = await ask(...Array.from({ length: 6 }, () => tell));
  t.is(outcomes.filter(({ error }) => error === undefined).length, 3);
  for (const { error } of outcomes) {
    if (error !== undefined) t.like(error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true });
  }
  t.deepEqual(await ask({ actor: 'counter', key: 'other', method: 'add', args: [1] }), [{ value: 1 }]);
  signals.tell('go');
  await held;
  t.deepEqual(await ask({ actor: 'counter', key: 'full', method: 'add', args: [1] }), [{ value: 4 }]);
});

test('keys are bounded, and an instance without a message for idleMs is stopped', async (t) => {
  const { ask, server } = await startActorServer(t, {
    actors: {
      ...actors,
      counter: { pool: 'state', export: 'Counter', kind: 'keyed', maxKeys: 2, idleMs: 5_000 },
    },
  });
  const add = (key: string) => ({ actor: 'counter', key, method: 'add', args: [1] });
  t.deepEqual(await ask(add('a'), add('b')), [{ value: 1 }, { value: 1 }]);
  const [refused] = await ask(add('c'));
  t.like(refused?.error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true });
  t.deepEqual(await ask(add('a')), [{ value: 2 }]);
  // What went directly comes back first: its caller has a clock of its own, which does not go along with ours.
  const directory = server.parts.actors as ActorDirectory;
  const counter = directory.actors.find(({ settings }) => settings.name === 'counter');
  const direct = () =>
    [...(counter?.mailboxes.values() ?? [])].some(({ conversations }) => conversations > 0);
  directory.direct.callBackAll();
  while (direct()) await ask({ actor: 'relay', method: 'nothing' });
  // As if so much time had passed.
  directory.tick(performance.now() + 6_000);
  const anew = await ask(add('a'), add('b'));
  t.deepEqual(anew, [{ value: 1 }, { value: 1 }], 'other instances, made when the old ones had stopped');
});

test("a thread's calls to one actor are bounded, in messages and bytes", async (t) => {
  const { ask } = await startActorServer(t, {
    actors: {
      ...actors,
      tasks: {
        pool: 'tasks',
        export: 'Tasks',
        kind: 'pool',
        callerMessages: 3,
        callerBytes: 4_096,
        maxMessageBytes: 4_096,
      },
    },
  });
  const echo = (value: unknown) => ({ actor: 'tasks', method: 'echo', args: [value] });
  const outcomes = await ask(echo(1), echo(2), echo(3), echo(4));
  t.deepEqual(
    outcomes.map(({ value, error }) => value ?? error?.code),
    [1, 2, 3, 'SLUICE_ACTOR_OVERLOADED'],
  );
  const large = 'x'.repeat(3_000);
  const [first, second] = await ask(echo(large), echo(large));
  t.is(first?.value, large);
  t.like(second?.error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true });
  const [tooLarge] = await ask(echo('x'.repeat(5_000)));
  t.like(tooLarge?.error, { code: 'SLUICE_MESSAGE_TOO_LARGE', begun: 'no' });
});

test('a call behind a computation that outlasts its deadline rejects on time and never runs', async (t) => {
  const { ask } = await startActorServer(t, { tasks: 1 });
  const signals = channel(t);
  const blocked = signals.until('on-begun');
  const computing = ask({ actor: 'tasks', method: 'block', args: [signals.name, 'on'] });
  await blocked;
  const [late] = await ask({ actor: 'tasks', method: 'hold', args: [signals.name, 'never'], deadlineMs: 50 });
  t.like(late?.error, { code: 'SLUICE_ACTOR_DEADLINE' });
  signals.tell('on');
  await computing;
  await ask({ actor: 'tasks', method: 'echo', args: [1] });
  t.is(signals.heard('begun'), 0);
});

test('what a thread that computes has not begun goes to one that has nothing to do', async (t) => {
  const { ask } = await startActorServer(t, { tasks: 2, callers: 1 });
  const signals = channel(t);
  const blocked = signals.until('on-begun');
  const computing = ask({ actor: 'tasks', method: 'block', args: [signals.name, 'on'] });
  await blocked;
  const outcomes = await ask(...Array.from({ length: 8 }, () => ({ actor: 'tasks', method: 'where' })));
  const answered = new Set(outcomes.map(({ value }) => value));
  t.is(answered.size, 1);
  signals.tell('on');
  const [{ value: busy } = {}] = await computing;
  t.false(answered.has(busy));
});
