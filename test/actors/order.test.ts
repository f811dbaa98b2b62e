/** Calls of one thread begin in the order in which they were made: at a `single` actor, and at a `pool` actor with one thread. */
import test from 'ava';
import type { TestThread } from '../../runtime/testing/hosts.ts';
import { startPair } from './direct/pair.ts';

const told: string[] = [];
const gates = new Map<string, () => void>();

class Notes {
  async note(word: string): Promise<void> {
    told.push(word);
    // So that calls are under way at once, and end in another order where they may.
    if (told.length % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }

  async *stream(word: string, _more: unknown): AsyncGenerator<string> {
    told.push(word);
    yield word;
  }

  async wait(name: string): Promise<void> {
    await new Promise<void>((open) => gates.set(name, open));
  }

  async reads(words: AsyncIterable<string>, word: string): Promise<void> {
    told.push(word);
    for await (const _ of words);
  }
}

async function* feed(word: string): AsyncGenerator<string> {
  yield word;
}

const CALLS = 120;

for (const [kind, concurrency] of [
  ['single', 1],
  ['pool', 1],
  ['pool', 16],
] as const) {
  for (const [over, maxChannels] of [
    ['', 0],
    [', over direct channels', 8],
  ] as const) {
    const what =
      kind === 'single' ? 'a single actor' : `a pool actor with one thread, ${concurrency} at a time`;
    test.serial(
      `${what}: asks, tells, streams and calls with inputs begin in the order of each caller${over}`,
      async (t) => {
        told.length = 0;
        const settings = { kind, ...(kind === 'pool' && { concurrency }), aheadMessages: 4 };
        const pair = await startPair(
          t,
          { notes: { class: Notes, pool: 'state', settings } },
          { maxChannels, callers: 2 },
        );
        const host = pair.hosts.get('state') as TestThread;
        const all: Promise<unknown>[] = [];
        for (let n = 0; n < CALLS; n++) {
          for (const caller of [0, 1]) {
            const notes = pair.handle<typeof Notes>('notes', caller);
            const word = `${caller} ${n}`;
            // Now and then a tell, which ends a conversation over a direct channel.
            if (n % 20 === 19) all.push(notes.tell.note(word));
            else if (n % 5 === 3) all.push(notes.stream(word, null).next());
            else if (n % 5 === 4) all.push(notes.reads(feed(word), word));
            else all.push(notes.note(word));
          }
          // Some wait in the thread, and some before it.
          if (n % 30 === 10) pair.hold(host);
          if (n % 30 === 20) pair.release(host);
          if (n % 10 === 0) await pair.settle();
        }
        await Promise.all(all);
        await pair.settle();
        for (const caller of [0, 1]) {
          t.deepEqual(
            told.filter((word) => word.startsWith(`${caller} `)),
            Array.from({ length: CALLS }, (_, n) => `${caller} ${n}`),
          );
        }
        t.is(pair.directory.direct.tally.conversations > 0, maxChannels > 0);
      },
    );
  }
}

test.serial(
  'a stream whose arguments take long to decode begins before the call behind it, although a turn is due',
  async (t) => {
    told.length = 0;
    const settings = { kind: 'pool', concurrency: 2, streamItems: 1 };
    const pair = await startPair(t, { notes: { class: Notes, pool: 'state', settings } }, { maxChannels: 0 });
    const notes = pair.handle<typeof Notes>('notes');
    const held = ['first', 'second'].map((name) => notes.wait(name));
    // Longer than a turn goes on before it lets others come in between.
    const large = Array.from({ length: 200_000 }, () => []);
    const stream = notes.stream('stream', large).next();
    const note = notes.note('note');
    await pair.settle();
    pair.hosts.get('state')?.side.requestTurn();
    for (const open of gates.values()) open();
    await Promise.all([...held, stream, note]);
    t.deepEqual(told, ['stream', 'note']);
  },
);
