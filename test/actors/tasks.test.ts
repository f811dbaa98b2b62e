/** Task functions: a module of plain functions as a pool, with progress, aborts that end one task, and hard ones that end its thread. */
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import { callOptions } from '../../workers/actors/actors.ts';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actorModule, startActorServer } from './actor-server.ts';
import * as tasksModule from './applications/tasks.ts';

const module = actorModule('tasks');
const tasks = { pool: 'tasks', kind: 'pool', hardAbortGraceMs: 50 } as const;
const scope = new FileScope();
let shared: ActorServer;
test.before(async () => {
  shared = await startActorServer(scope, { actors: { tasks }, module, tasks: 2, state: 1 });
});
test.after.always(() => scope.end());

function signalsOf(t: ExecutionContext): Signals {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  return signals;
}

test('the functions of a module are methods, and its start is told of the thread', async (t) => {
  const [doubled, where, unknown, unrelated] = await shared.ask(
    { actor: 'tasks', method: 'double', args: [21] },
    { actor: 'tasks', method: 'where' },
    { actor: 'tasks', method: 'triple', args: [1] },
    { actor: 'tasks', method: 'Unrelated' },
  );
  t.deepEqual(doubled, { value: 42 });
  t.regex(where?.value as string, /^tasks-\d$/);
  t.like(unknown?.error, { code: 'SLUICE_ACTOR_METHOD_UNKNOWN' });
  t.regex(unknown?.error?.message ?? '', /block, double, hold, sum, untilAborted, where/);
  t.like(unrelated?.error, { code: 'SLUICE_ACTOR_METHOD_UNKNOWN' });
});

test('progress comes as a stream, and the result behind it', async (t) => {
  const [read] = await shared.ask({ actor: 'tasks', method: 'sum', args: [[3, 4, 5]], take: 10 });
  t.deepEqual(read?.value, [{ done: 1, of: 3 }, { done: 2, of: 3 }, { done: 3, of: 3 }, { result: 12 }]);
});

test("an abort ends its task and nobody else's", async (t) => {
  const { ask, log, server } = await startActorServer(t, { actors: { tasks }, module, tasks: 1 });
  const signals = signalsOf(t);
  const both = [signals.until('waiting'), signals.until('go-begun')];
  const aborted = signals.until('aborted');
  const given = ask({
    actor: 'tasks',
    method: 'untilAborted',
    args: [signals.name],
    abortOn: [signals.name, 'enough'],
  });
  const other = ask({ actor: 'tasks', method: 'hold', args: [signals.name, 'go'] });
  await Promise.all(both);
  signals.tell('enough');
  t.like((await given)[0]?.error, { code: 'SLUICE_ACTOR_ABORTED', by: 'caller' });
  await aborted;
  signals.tell('go');
  t.deepEqual(await other, [{ value: 'tasks-1' }], 'in the same thread');
  server.parts.actors?.tick(performance.now() + 1_000_000);
  t.deepEqual(await ask({ actor: 'tasks', method: 'where' }), [{ value: 'tasks-1' }]);
  t.is(log.count('thread died'), 0);
});

test('a hard abort ends the thread of a task that computes on, and what that thread had not begun moves', async (t) => {
  const { ask, log } = await startActorServer(t, {
    actors: { tasks: { ...tasks, concurrency: 1 } },
    module,
    tasks: 1,
    callers: 1,
  });
  const signals = signalsOf(t);
  const begun = signals.until('never-begun');
  const died = log.until('thread died');
  const hard = ask({
    actor: 'tasks',
    method: 'block',
    args: [signals.name, 'never'],
    abortOn: [signals.name, 'enough'],
    hard: true,
  });
  await begun;
  const queued = ask(
    { actor: 'tasks', method: 'double', args: [1] },
    { actor: 'tasks', method: 'where' },
    { actor: 'tasks', method: 'double', args: [2] },
  );
  signals.tell('enough');
  t.like((await hard)[0]?.error, { code: 'SLUICE_ACTOR_ABORTED' });
  await died;
  t.deepEqual(await queued, [{ value: 2 }, { value: 'tasks-2' }, { value: 4 }]);
  t.true(
    JSON.stringify(log.find('thread died')).includes(
      'a call with the option hard was given up, and had not ended 50 ms later',
    ),
  );
});

for (const [title, directChannels] of [
  [
    'a method that never comes back ends its thread by way of the reactor: its call fails, and what was not begun moves',
    { max: 0 },
  ],
  [
    'a method that never comes back ends its thread over a direct channel: its call fails, and what was not begun moves',
    { afterCalls: 1 },
  ],
] as const) {
  test(title, async (t) => {
    const { ask, log } = await startActorServer(t, {
      actors: { tasks: { ...tasks, concurrency: 1 } },
      module,
      tasks: 1,
      pool: { computeTimeoutMs: 1_000, computeGraceMs: 100 },
      rest: { limits: { directChannels } },
    });
    const signals = signalsOf(t);
    for (let n = 0; n < 3; n++) await ask({ actor: 'tasks', method: 'double', args: [n] });
    const begun = signals.until('never-begun');
    const died = log.until('thread died');
    const hung = ask({ actor: 'tasks', method: 'block', args: [signals.name, 'never'] });
    await begun;
    const queued = ask({ actor: 'tasks', method: 'double', args: [4] }, { actor: 'tasks', method: 'where' });
    t.like((await hung)[0]?.error, { code: 'SLUICE_ACTOR_DIED', begun: 'yes' });
    t.is((await died).thread, 'tasks-1');
    t.deepEqual(await queued, [{ value: 8 }, { value: 'tasks-2' }]);
  });
}

test('a hard abort whose task listens leaves its thread alone', async (t) => {
  const patient = { ...tasks, hardAbortGraceMs: 600_000 };
  const { ask, log, server } = await startActorServer(t, { actors: { tasks: patient }, module, tasks: 1 });
  const signals = signalsOf(t);
  const waiting = signals.until('waiting');
  const aborted = signals.until('aborted');
  const given = ask({
    actor: 'tasks',
    method: 'untilAborted',
    args: [signals.name],
    abortOn: [signals.name, 'enough'],
    hard: true,
  });
  await waiting;
  signals.tell('enough');
  await given;
  await aborted;
  // Its answer is on its way before that of this one.
  t.deepEqual(await ask({ actor: 'tasks', method: 'where' }), [{ value: 'tasks-1' }]);
  server.parts.actors?.tick(performance.now() + 1_000_000);
  t.deepEqual(await ask({ actor: 'tasks', method: 'where' }), [{ value: 'tasks-1' }]);
  t.is(log.count('thread died'), 0);
});

test.serial('a deadline that passes is an abort as well, and hard where its call says so', async (t) => {
  const started = await testActors({
    tasks: { functions: tasksModule, kind: 'pool', hardAbortGraceMs: 200 },
  });
  t.teardown(() => started.close());
  const signals = signalsOf(t);
  const { tasks: own } = started.actors;
  t.is(await own.double(2), 4);
  const before = await own.where();
  const held = t.throwsAsync(own.hold(signals.name, 'never', { deadlineMs: 100, hard: true }), {
    code: 'SLUICE_ACTOR_DEADLINE',
  });
  const besides = t.throwsAsync(own.hold(signals.name, 'never'), { code: 'SLUICE_ACTOR_DIED' });
  await started.clock.advance(100);
  await held;
  await started.clock.advance(199);
  t.is(await own.where(), before, 'within its grace');
  await started.clock.advance(1);
  await besides;
  t.not(await own.where(), before);
  // Here the thread is this one, so its methods go on, and end.
  signals.tell('never');
});

class Plain {
  echo(...args: readonly unknown[]): readonly unknown[] {
    // Without the call.
    return args.slice(0, -1);
  }
}

test.serial('options are told from data by their types, and callOptions tells them from any', async (t) => {
  const started = await testActors({ plain: Plain });
  t.teardown(() => started.close());
  const echo = started.actors.plain.echo as (...args: unknown[]) => Promise<unknown[]>;
  for (const data of [
    {},
    { signal: 'SIGTERM' },
    { deadlineMs: '5' },
    { hard: 1 },
    { reuseMemory: 'yes' },
    { deadlineMs: 5, unit: 'ms' },
    Object.create({ deadlineMs: 5 }) as object,
  ]) {
    if (Object.getPrototypeOf(data) !== Object.prototype) {
      await t.throwsAsync(echo(1, data), { code: 'SLUICE_MESSAGE_INVALID' });
    } else t.deepEqual(await echo(1, data), [1, data]);
  }
  t.deepEqual(await echo(1, { deadlineMs: 5_000 }), [1], 'options by their shape');
  t.deepEqual(await echo(1, { deadlineMs: 5_000 }, callOptions()), [1, { deadlineMs: 5_000 }]);
  await t.throwsAsync(echo({ deadlineMs: 5_000 }, callOptions({ deadlineMs: 0 })), {
    code: 'SLUICE_ACTOR_DEADLINE',
  });
});
