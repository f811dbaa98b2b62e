/**
 * Threads that do not read what comes for them, and readers that do not ask for more: by way of the reactor and over direct channels. What
 * waits stays within its bounds, whoever waits hears why it ends, and nobody else notices.
 */
import test, { type ExecutionContext } from 'ava';
import type { TestThread } from '../../runtime/testing/hosts.ts';
import type { ActorError, Call } from '../../workers/actors/actors.ts';
import { type Pair, type PairOptions, startPair } from './direct/pair.ts';
import { forgetGates, gate } from './gates.ts';

/** Of a ring, and of what waits besides. */
const BYTES = 65_536;
const PIECE_BYTES = 10_000;
/** So many pieces are more than both hold. */
const WINDOW = 16;

const told: string[] = [];

test.beforeEach(() => {
  told.length = 0;
  forgetGates();
});

function textOf(n: number): string {
  return `${n} `.padEnd(PIECE_BYTES, 'x');
}

function bytesOf(n: number): Uint8Array {
  return new Uint8Array(PIECE_BYTES).fill(n);
}

function numberOf(piece: string | Uint8Array): number {
  return typeof piece === 'string' ? Number.parseInt(piece, 10) : (piece[0] as number);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

class Pooled {
  note(word: string): string {
    told.push(word);
    return word;
  }

  /** Its end waits for a gate, if it has a name. */
  async *pieces(
    kind: 'text' | 'bytes' | 'odd',
    count: number,
    end: string,
    call: Call,
  ): AsyncGenerator<string | Uint8Array> {
    call.signal.addEventListener('abort', () => told.push('aborted'));
    try {
      for (let n = 0; n < count; n++) {
        told.push('piece');
        if (kind === 'odd') yield (() => n) as unknown as string;
        else yield kind === 'text' ? textOf(n) : bytesOf(n);
      }
    } finally {
      told.push('returning');
      if (end !== '') await gate(end).promise;
      told.push('returned');
    }
  }

  async reads(pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
    try {
      for await (const piece of pieces) told.push(`read ${numberOf(piece)}`);
    } catch (error) {
      told.push((error as ActorError).code);
    }
  }

  large(): string {
    return textOf(0);
  }
}

class Desk extends Pooled {
  readonly key: string;

  constructor(key: string, _context: unknown) {
    super();
    this.key = key;
  }
}

const ways = [
  ['by way of the reactor', 0],
  ['over a direct channel', 8],
] as const;

async function start(t: ExecutionContext, maxChannels: number, options: PairOptions = {}): Promise<Pair> {
  const settings = { maxMessageBytes: 20_000, streamItems: WINDOW, streamGraceMs: 100 };
  const pair = await startPair(
    t,
    {
      desk: { class: Desk, pool: 'state', settings },
      pooled: { class: Pooled, pool: 'state', settings: { ...settings, kind: 'pool', concurrency: 2 } },
    },
    { maxChannels, callers: 2, memory: { ringBytes: BYTES, backlogBytes: BYTES }, ...options },
  );
  for (let tries = 0; pair.directory.direct.conversations < (maxChannels > 0 ? 2 : 0); tries++) {
    if (tries > 100) throw new Error('it does not join');
    await pair.handle<typeof Desk>('desk').of('k').note('joins');
    await pair.handle<typeof Pooled>('pooled').note('joins');
    await pair.settle();
  }
  told.length = 0;
  return pair;
}

async function readAll(pieces: AsyncIterator<string | Uint8Array>): Promise<{
  readonly numbers: number[];
  readonly error?: ActorError;
}> {
  const numbers: number[] = [];
  try {
    for (let read = await pieces.next(); read.done !== true; read = await pieces.next()) {
      numbers.push(numberOf(read.value));
    }
    return { numbers };
  } catch (error) {
    return { numbers, error: error as ActorError };
  }
}

/** Nothing of what was broken off is left anywhere. */
async function leavesNothing(t: ExecutionContext, pair: Pair): Promise<void> {
  t.is(await pair.handle<typeof Desk>('desk').of('k').note('goes on'), 'goes on');
  pair.directory.direct.callBackAll();
  await pair.settle();
  t.is(pair.directory.direct.conversations, 0);
  t.is(pair.directory.openMessages, 0);
  for (const { given, calls } of pair.directory.links) t.is(given.size + calls.size, 0);
  for (const { side } of pair.callers) t.is(side.calls.openCalls, 0);
}

for (const [way, maxChannels] of ways) {
  for (const kind of ['text', 'bytes'] as const) {
    test.serial(
      `a thread that does not read its streams, of ${kind}, ${way}: they end with who and why behind what has come, and their generators return`,
      async (t) => {
        const pair = await start(t, maxChannels);
        const caller = pair.callers[0] as TestThread;
        const pieces = pair.handle<typeof Desk>('desk').of('k').pieces(kind, 1_000, '');
        const first = pieces.next();
        pair.hold(caller);
        // On a slow machine a generator gives an item in each turn of the event loop, between which nothing is under way.
        while (!told.includes('returned')) await pair.settle();
        t.deepEqual(told.slice(-3).toSorted(), ['aborted', 'returned', 'returning']);
        const given = told.filter((word) => word === 'piece').length;
        t.true(given <= WINDOW, `${given}`);
        // The instance serves others, which the thread that does not read does not hold up.
        t.is(await pair.handle<typeof Desk>('desk', 1).of('k').note('other'), 'other');

        pair.release(caller);
        const { value } = await first;
        t.is(numberOf(value ?? ''), 0);
        const { numbers, error } = await readAll(pieces);
        t.deepEqual(numbers, upTo(numbers.length + 1).slice(1), 'in order, and without a gap');
        t.true(numbers.length > 2 && numbers.length + 1 < given, `${numbers.length} of ${given}`);
        t.like(error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'yes', by: 'server', retryable: false });
        t.deepEqual(await pieces.next(), { done: true, value: undefined }, 'it is told once');
        await leavesNothing(t, pair);
      },
    );
  }

  for (const [what, kind, code] of [
    ['the caller does not read', 'text', 'SLUICE_ACTOR_OVERLOADED'],
    ['has an item that is no plain data', 'odd', 'SLUICE_MESSAGE_INVALID'],
  ] as const) {
    test.serial(
      `a stream that ${what}, ${way}, has its instance until the generator has returned or its grace is over`,
      async (t) => {
        const pair = await start(t, maxChannels);
        const caller = pair.callers[0] as TestThread;
        const desk = pair.handle<typeof Desk>('desk', 1).of('k');
        for (const ending of ['returns', 'grace'] as const) {
          told.length = 0;
          const pieces = pair.handle<typeof Desk>('desk').of('k').pieces(kind, 1_000, ending);
          const read = readAll(pieces);
          if (kind === 'text') pair.hold(caller);
          await pair.settle();
          const next = desk.note('next');
          await pair.settle();
          t.false(told.includes('next'), 'one method to its end before the next');
          t.true(told.includes('aborted'));
          if (ending === 'returns') gate(ending).resolve();
          else {
            await pair.pass(99);
            t.false(told.includes('next'));
            await pair.pass(1);
          }
          t.is(await next, 'next');
          t.deepEqual(told.slice(-2), [ending === 'returns' ? 'returned' : 'returning', 'next']);
          if (kind === 'text') pair.release(caller);
          t.like((await read).error, { code, begun: 'yes' });
        }
        gate('grace').resolve();
        await leavesNothing(t, pair);
      },
    );
  }

  test.serial(
    `a thread that does not read its streamed inputs, ${way}: the call fails, the iterator is returned, and the method hears why`,
    async (t) => {
      const pair = await start(t, maxChannels);
      const host = pair.hosts.get('state') as TestThread;
      async function* feed() {
        try {
          await gate('feed').promise;
          for (let n = 0; n < 1_000; n++) {
            told.push('piece');
            yield n % 2 === 0 ? textOf(n) : bytesOf(n);
          }
        } finally {
          told.push('returned');
        }
      }
      const reads = pair
        .handle<typeof Desk>('desk')
        .of('k')
        .reads(feed())
        .catch((error: ActorError) => error);
      await pair.settle();
      pair.hold(host);
      gate('feed').resolve();
      await pair.settle();
      t.like(await reads, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'yes', by: 'server', retryable: false });
      t.regex((await reads)?.message ?? '', /its thread has not read what came before/);
      t.is(told.at(-1), 'returned');
      const given = told.length - 1;
      t.true(given <= WINDOW, `${given}`);

      pair.release(host);
      await pair.settle();
      const read = told.slice(given + 1);
      t.is(read.pop(), 'SLUICE_ACTOR_ABORTED');
      t.true(read.length > 2 && read.length < given, `${read.length} of ${given}`);
      t.deepEqual(
        read,
        upTo(read.length).map((n) => `read ${n}`),
        'in order, and without a gap',
      );
      await leavesNothing(t, pair);
    },
  );

  test.serial(
    `a reader that holds its stream open and asks for nothing, ${way}: the generator waits for it, and what waits in a keyed instance ends by its deadline`,
    async (t) => {
      // Its thread reads what comes, so that there is room for all of it.
      const pair = await start(t, maxChannels, { memory: { ringBytes: 8 * BYTES, backlogBytes: BYTES } });
      const pooled = pair.handle<typeof Pooled>('pooled');
      const held = pooled.pieces('text', 1_000, '');
      t.is(numberOf((await held.next()).value ?? ''), 0);
      await pair.settle();
      t.true(told.length <= WINDOW + 1, `${told.length}`);
      const made = told.length;
      t.is(await pooled.note('beside'), 'beside', 'the instance of a pool goes on');

      const own = pair.handle<typeof Desk>('desk').of('k').pieces('text', 1_000, '', { deadlineMs: 200 });
      await own.next();
      const behind = pair.handle<typeof Desk>('desk', 1).of('k').note('behind');
      await pair.pass(199);
      t.is(told.at(-1), 'piece');
      await pair.pass(1);
      t.is(await behind, 'behind');
      t.deepEqual(told.slice(-4), ['aborted', 'returning', 'returned', 'behind']);
      const { numbers, error } = await readAll(own);
      t.deepEqual(numbers, upTo(numbers.length + 1).slice(1));
      t.like(error, { code: 'SLUICE_ACTOR_DEADLINE', by: 'caller' });

      told.length = 0;
      const rest = readAll(held);
      await pair.settle();
      t.is(told.filter((word) => word === 'piece').length, 1_000 - made, 'it goes on where it was');
      t.is((await rest).numbers.length, 999);
      await leavesNothing(t, pair);
    },
  );
}

test.serial(
  'a thread that does not read the replies to a call for each: some parts are dropped and say so, and none is missing',
  async (t) => {
    const pair = await start(t, 0);
    const keys = upTo(20).map((n) => `key ${n}`);
    for (const key of keys) await pair.handle<typeof Desk>('desk').of(key).note('lives');
    const replied = pair.handle<typeof Desk>('desk').each.large();
    pair.hold(pair.callers[0] as TestThread);
    await pair.settle();
    t.is(pair.directory.openMessages, 0, 'all have replied');
    pair.release(pair.callers[0] as TestThread);
    const parts = await replied;
    t.deepEqual(parts.map(({ key }) => key).toSorted(), keys.toSorted());
    const dropped = parts.filter((part) => part.status === 'rejected');
    t.true(dropped.length > 0 && dropped.length < keys.length - 2, `${dropped.length} dropped`);
    for (const { reason, thread } of dropped) {
      t.like(reason, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'yes', by: 'server', retryable: false });
      t.is(thread, 'state-1');
    }
    await leavesNothing(t, pair);
  },
);
