/** Streamed inputs: what a caller's iterator gives, read by a method in another thread with credit. */
import { randomUUID } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actorModule, startActorServer } from './actor-server.ts';

const module = actorModule('inputs');
const readers = { pool: 'tasks', export: 'Readers', kind: 'pool' } as const;
const one = { pool: 'state', export: 'Readers', kind: 'single', streamGraceMs: 100 } as const;
const scope = new FileScope();
let shared: ActorServer;
test.before(async () => {
  const few = { ...readers, streamItems: 4 };
  shared = await startActorServer(scope, { actors: { readers, few, one }, module, tasks: 2, state: 1 });
});
test.after.always(() => scope.end());

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function signalsOf(t: ExecutionContext): Signals {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  return signals;
}

test('an input arrives in order, without a gap, and ends', async (t) => {
  const fed = { actor: 'readers', method: 'list', feed: { count: 1_000 } };
  for (const { value, error } of await shared.ask(fed, fed, fed)) {
    t.is(error, undefined);
    t.deepEqual(value, numbers(1_000));
  }
});

test('an input without items ends at once', async (t) => {
  const [read] = await shared.ask({ actor: 'readers', method: 'list', feed: { count: 0 } });
  t.deepEqual(read, { fed: [0], value: [] });
});

test('several inputs of a call are kept apart, wherever they stand among its arguments', async (t) => {
  const feed = [{ count: 40 }, { count: 40, bytes: 10 }];
  const [read] = await shared.ask({ actor: 'few', method: 'list', feed: feed.slice(0, 1) });
  t.deepEqual(read?.value, numbers(40));
  const [zipped] = await shared.ask({ actor: 'few', method: 'pairs', feed, args: ['label'] });
  t.deepEqual(zipped?.value, ['label', ...numbers(40).map((n) => [n, `${n} `.padEnd(10, 'x')])]);
});

test('inputs and answers are streamed both at once', async (t) => {
  const both = { actor: 'few', method: 'mirrored', feed: { count: 500 }, take: 1_000 };
  for (const { value, error } of await shared.ask(both, both)) {
    t.is(error, undefined);
    t.deepEqual(value, numbers(500));
  }
});

test('an iterator is asked for no more than the method has credit for', async (t) => {
  const signals = signalsOf(t);
  const reading = signals.until('reading');
  const asked = shared.ask({
    actor: 'few',
    method: 'stops',
    feed: { count: 1_000_000, channel: signals.name },
    args: [signals.name],
  });
  const fourth = signals.until('fed-3');
  await reading;
  await fourth;
  signals.tell('release');
  const [read] = await asked;
  t.is(read?.error, undefined);
  // Four ahead, and one that was read: half a window goes back at once.
  t.true((read?.fed?.[0] as number) >= 4 && (read?.fed?.[0] as number) <= 6, `${read?.fed}`);
});

test('a call that waits is asked for nothing yet', async (t) => {
  const signals = signalsOf(t);
  const reading = signals.until('reading');
  const first = { actor: 'one', method: 'stops', feed: { count: 5 }, args: [signals.name] };
  const held = shared.ask(first);
  await reading;
  const [late] = await shared.ask({ actor: 'one', method: 'list', feed: { count: 5 }, deadlineMs: 20 });
  t.like(late, { fed: [0], error: { code: 'SLUICE_ACTOR_DEADLINE' } });
  signals.tell('release');
  t.is((await held)[0]?.error, undefined);
});

test('a method that leaves its input has the iterator returned, and goes on', async (t) => {
  const { name } = signalsOf(t);
  const feed = { count: 1_000_000, channel: name };
  const [read] = await shared.ask({ actor: 'few', method: 'leaves', feed, args: [name] });
  t.is(read?.value, 'went on');
});

test('a method that ends within its reading has the iterator returned', async (t) => {
  const signals = signalsOf(t);
  const returned = signals.until('returned');
  const feed = { count: 1_000_000, channel: signals.name };
  const [read] = await shared.ask({ actor: 'few', method: 'first', feed });
  t.is(read?.value, 0);
  await returned;
});

test('an input that the method never reads is not begun', async (t) => {
  const [ignored, failed] = await shared.ask(
    { actor: 'readers', method: 'ignores', feed: { count: 5 } },
    { actor: 'readers', method: 'fails', feed: { count: 5 } },
  );
  t.like(ignored, { fed: [0], error: undefined });
  t.like(failed, { fed: [0], error: { name: 'RangeError', message: 'not today' } });
});

test('what an iterator throws comes behind what it has given, as the method sees it', async (t) => {
  const [read] = await shared.ask({ actor: 'readers', method: 'list', feed: { count: 5, throwsAt: 3 } });
  t.like(read?.error, { name: 'RangeError', message: 'no item 3' });
  const [mirrored] = await shared.ask({
    actor: 'readers',
    method: 'mirrored',
    feed: { count: 5, throwsAt: 3 },
    take: 10,
  });
  t.deepEqual(mirrored?.value, [0, 1, 2]);
  t.like(mirrored?.error, { name: 'RangeError', message: 'no item 3' });
});

test('an iterator that breaks the rules fails its call, and harms nobody else', async (t) => {
  const rude = (kind: 'throws' | 'number' | 'no-iterator') => ({
    actor: 'readers',
    method: 'list',
    feed: { count: 0, rude: kind },
  });
  const [throws, number, none] = await shared.ask(rude('throws'), rude('number'), rude('no-iterator'));
  t.like(throws?.error, { name: 'RangeError', message: 'at once' });
  t.like(number?.error, { name: 'TypeError' });
  t.like(none?.error, { name: 'TypeError' });
  const [after] = await shared.ask({ actor: 'readers', method: 'list', feed: { count: 2 } });
  t.deepEqual(after?.value, [0, 1]);
});

test('an item that is no plain data fails the call with its path, and ends what the method reads', async (t) => {
  const signals = signalsOf(t);
  const ended = signals.until('ended-SLUICE_ACTOR_ABORTED');
  const [read] = await shared.ask({
    actor: 'readers',
    method: 'tellsEnd',
    feed: { count: 5, oddAt: 2 },
    args: [signals.name],
  });
  t.like(read?.error, { code: 'SLUICE_MESSAGE_INVALID', begun: 'yes', by: 'caller' });
  t.regex(read?.error?.message ?? '', /arguments\[0\] item\.when: expected plain data, got a function/);
  await ended;
});

test('a caller that is aborted returns its iterator', async (t) => {
  const signals = signalsOf(t);
  const reading = signals.until('reading');
  const returned = signals.until('returned');
  const asked = shared.ask({
    actor: 'few',
    method: 'stops',
    feed: { count: 1_000, channel: signals.name },
    args: [signals.name],
    abortOn: [signals.name, 'abort'],
  });
  await reading;
  signals.tell('abort');
  t.like((await asked)[0]?.error, { code: 'SLUICE_ACTOR_ABORTED' });
  await returned;
  signals.tell('release');
});

test('a reader of an input whose call is over hears so', async (t) => {
  const signals = signalsOf(t);
  const later = signals.until('later-SLUICE_ACTOR_ABORTED');
  const [read] = await shared.ask({
    actor: 'few',
    method: 'readsLater',
    feed: { count: 1_000_000 },
    args: [signals.name],
  });
  t.is(read?.error, undefined);
  await later;
});

test('a generator that is left ends what it reads and what feeds it', async (t) => {
  const signals = signalsOf(t);
  const returned = signals.until('returned');
  const feed = { count: 1_000_000, channel: signals.name };
  const [read] = await shared.ask({ actor: 'few', method: 'mirrored', feed, take: 3 });
  t.deepEqual(read?.value, [0, 1, 2]);
  await returned;
});

test('a thread that dies while it reads: the call fails, and its iterator is returned', async (t) => {
  const { ask } = await startActorServer(t, { actors: { readers }, module, tasks: 1 });
  const signals = signalsOf(t);
  const returned = signals.until('returned');
  const feed = { count: 1_000_000, channel: signals.name };
  const [read] = await ask({ actor: 'readers', method: 'dies', feed });
  t.like(read?.error, { code: 'SLUICE_ACTOR_DIED', begun: 'yes', by: 'actor' });
  await returned;
});

test('a caller that dies while it gives: what the method reads ends with why', async (t) => {
  const { ask, server } = await startActorServer(t, { actors: { readers }, module, tasks: 1 });
  const signals = signalsOf(t);
  const second = signals.until('read-1');
  const ended = signals.until('ended-SLUICE_ACTOR_ABORTED');
  const asked = ask({
    actor: 'readers',
    method: 'tellsEnd',
    feed: { count: 5, waitsAt: 2 },
    args: [signals.name],
  });
  await second;
  const callers = server.parts.pools.find(({ name }) => name === 'callers');
  for (const thread of callers?.threads ?? []) void callers?.workerOf(thread)?.terminate();
  await ended;
  await t.throwsAsync(asked);
});

test('a tell takes no stream', async (t) => {
  const [told] = await shared.ask({ actor: 'readers', method: 'list', feed: { count: 5 }, tell: true });
  t.like(told, { fed: [0], error: { code: 'SLUICE_MESSAGE_INVALID', begun: 'no' } });
  t.regex(told?.error?.message ?? '', /a stream at arguments\[0\]/);
});

test('threads that stream to each other both ways through rings that are full all come to their end', async (t) => {
  const wide = { ...readers, maxMessageBytes: 20_000, streamItems: 64 };
  const pool = { ringBytes: 65_536 } as const;
  const rest = { http2: { maxFieldListBytes: 1_024 }, http1: { maxHeaderBytes: 1_024 } };
  const { ask } = await startActorServer(t, { actors: { readers: wide }, module, tasks: 2, pool, rest });
  const feed = { count: 100, bytes: 16_000 };
  const both = { actor: 'readers', method: 'relayed', feed, take: 1_000 };
  const left = { ...both, take: 10 };
  const outcomes = await ask(both, left, both, left, both, both);
  for (const [index, { value, error }] of outcomes.entries()) {
    t.is(error, undefined);
    const expected = index === 1 || index === 3 ? 10 : 100;
    t.deepEqual(
      (value as string[]).map((piece) => Number.parseInt(piece, 10)),
      numbers(expected),
    );
  }
  const [after] = await ask({ actor: 'readers', method: 'list', feed: { count: 3 } });
  t.deepEqual(after?.value, [0, 1, 2]);
});
