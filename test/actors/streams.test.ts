/** Streamed answers: async generators in another thread, read with credit. */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, startActorServer } from './actor-server.ts';

const streams = { pool: 'tasks', export: 'Streams', kind: 'pool' } as const;
const one = { pool: 'state', export: 'Streams', kind: 'single', streamGraceMs: 100 } as const;
const scope = new FileScope();
let shared: ActorServer;
test.before(async () => {
  shared = await startActorServer(scope, { actors: { streams, one }, tasks: 2, state: 1 });
});
test.after.always(() => scope.end());

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

test('a stream arrives in order, without a gap, and ends', async (t) => {
  const read = { actor: 'streams', method: 'count', args: [1_000], take: 2_000 };
  for (const { value, error } of await shared.ask(read, read, read)) {
    t.is(error, undefined);
    t.deepEqual(value, numbers(1_000));
  }
});

test('a generator is asked for no more than its reader has credit for', async (t) => {
  const { ask } = await startActorServer(t, {
    actors: { streams: { ...streams, streamItems: 4 } },
    tasks: 1,
  });
  const [read] = await ask({ actor: 'streams', method: 'count', args: [1_000_000], take: 10 });
  t.deepEqual(read?.value, numbers(10));
  const [made] = await ask({ actor: 'streams', method: 'made' });
  t.true((made?.value as number) >= 10 && (made?.value as number) <= 14, `${made?.value}`);
});

test('a reader that leaves while the generator waits: its finally runs, and nothing of it stays', async (t) => {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const returned = signals.until('returned');
  const [read] = await shared.ask({ actor: 'streams', method: 'waits', args: [signals.name], take: 1 });
  t.deepEqual(read?.value, [1]);
  await returned;
});

test('a generator that hears nothing is gone on without when its grace is over', async (t) => {
  const [read] = await shared.ask({ actor: 'one', method: 'deaf', take: 1 });
  t.deepEqual(read?.value, [1]);
  // One message at a time: this one begins when that one is over.
  const [made] = await shared.ask({ actor: 'one', method: 'made' });
  t.is(made?.value, 0);
});

test('what a generator throws comes behind what it has yielded', async (t) => {
  const [read] = await shared.ask({ actor: 'streams', method: 'fails', take: 10 });
  t.deepEqual(read?.value, [1, 2]);
  t.like(read?.error, { name: 'RangeError', message: 'no third' });
});

test('an item that is no plain data ends the stream, with its path', async (t) => {
  const [read] = await shared.ask({ actor: 'streams', method: 'odd', take: 10 });
  t.deepEqual(read?.value, [{ fine: true }]);
  t.like(read?.error, { code: 'SLUICE_MESSAGE_INVALID', begun: 'yes' });
  t.regex(read?.error?.message ?? '', /item\.when: expected plain data, got a function/);
});

test('a stream whose thread dies ends with who and why', async (t) => {
  const { ask, server } = await startActorServer(t, { actors: { streams }, tasks: 1 });
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const holding = signals.until('holding');
  const reading = ask({ actor: 'streams', method: 'holds', args: [signals.name], take: 10 });
  await holding;
  for (const pool of server.parts.pools) {
    if (pool.name !== 'tasks') continue;
    for (const thread of pool.threads) void pool.workerOf(thread)?.terminate();
  }
  const [read] = await reading;
  // It may have been on its way.
  t.true([undefined, 'tasks-1'].includes((read?.value as string[] | undefined)?.[0]));
  t.like(read?.error, { code: 'SLUICE_ACTOR_DIED', begun: 'yes', by: 'actor' });
});

test('threads that stream to each other through rings that are full all come to their end', async (t) => {
  const wide = { ...streams, maxMessageBytes: 20_000, streamItems: 64 };
  const pool = { ringBytes: 65_536 } as const;
  const rest = { http2: { maxFieldListBytes: 1_024 }, http1: { maxHeaderBytes: 1_024 } };
  const { ask } = await startActorServer(t, { actors: { streams: wide }, tasks: 2, pool, rest });
  const relayed = { actor: 'streams', method: 'relayed', args: [100, 16_000], take: 1_000 };
  for (const { value, error } of await ask(relayed, relayed, relayed, relayed)) {
    t.is(error, undefined);
    const pieces = value as string[];
    t.deepEqual(
      pieces.map((piece) => Number.parseInt(piece, 10)),
      numbers(100),
    );
  }
  const [after] = await ask({ actor: 'streams', method: 'made' });
  t.is(after?.value, 0);
});

class Bytes {
  async *give(lengths: readonly number[]): AsyncGenerator<Uint8Array | string> {
    for (const [index, length] of lengths.entries()) yield new Uint8Array(length).fill(index + 1);
    yield 'last';
  }
}

/** All of its bytes are the same. */
function filledWith(item: unknown): number | string {
  if (!(item instanceof Uint8Array)) return String(item);
  return item.every((byte) => byte === item[0]) ? `${item[0]} × ${item.length}` : 'mixed';
}

test.serial(
  'with reuseMemory items of bytes are what they were until the next is asked for, in few buffers',
  async (t) => {
    const settings = { kind: 'single', streamItems: 4, maxMessageBytes: 100_000 } as const;
    const started = await testActors({ bytes: { class: Bytes, ...settings } });
    t.teardown(() => started.close());
    const { bytes } = started.actors;
    const lengths = Array.from({ length: 60 }, (_, n) => (n % 7 === 0 ? 100 : 5_000 + 1_000 * (n % 5)));
    const expected = [...lengths.map((length, n) => `${n + 1} × ${length}`), 'last'];

    const buffers = new Set<ArrayBufferLike>();
    const seen: (number | string)[] = [];
    for await (const item of bytes.give(lengths, { reuseMemory: true })) {
      // What follows has come by then, and lies elsewhere.
      await started.settled();
      seen.push(filledWith(item));
      if (item instanceof Uint8Array && item.length > 100) buffers.add(item.buffer);
    }
    t.deepEqual(seen, expected);
    t.true(buffers.size <= 12, `${buffers.size} buffers for 51 items`);

    const kept: unknown[] = [];
    for await (const item of bytes.give(lengths)) kept.push(item);
    t.deepEqual(kept.map(filledWith), expected, 'without it each has memory of its own');
    t.is(new Set(kept.map((item) => (item as Uint8Array).buffer)).size, 61);
  },
);

test.serial('a reader that transfers an item or reads ahead loses no bytes of what follows', async (t) => {
  const started = await testActors({ bytes: { class: Bytes, kind: 'single', maxMessageBytes: 100_000 } });
  t.teardown(() => started.close());
  const stream = started.actors.bytes.give([5_000, 5_000, 5_000, 5_000], { reuseMemory: true });
  const [first, second] = await Promise.all([stream.next(), stream.next()]);
  t.is(filledWith(first.value), '1 × 5000');
  t.is(filledWith(second.value), '2 × 5000');
  structuredClone(first.value, { transfer: [(first.value as Uint8Array).buffer as ArrayBuffer] });
  t.is(filledWith((await stream.next()).value), '3 × 5000');
  t.is(filledWith((await stream.next()).value), '4 × 5000');
  t.deepEqual(await stream.next(), { done: false, value: 'last' });
});
