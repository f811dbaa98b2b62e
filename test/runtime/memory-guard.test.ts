/** What the server does near its memory limit, with memory of the test's own. */
import test from 'ava';
import { createLog } from '../../runtime/logging/log.ts';
import { MemoryGuard, memoryOfSystem } from '../../runtime/server/memory-guard.ts';
import { residentBytes } from '../../runtime/status/memory-use.ts';
import { LogLines } from '../server/log-lines.ts';

const MB = 1_000_000;

function makeThread(name: string, bytes: number) {
  return { name, vitals: { heapBytes: bytes / 2, externalBytes: bytes / 2 } };
}

function bench(threads: ReturnType<typeof makeThread>[], own: { recycleAtPercent?: number } = {}) {
  const log = new LogLines();
  const recycled: string[] = [];
  /** What a recycling comes to. */
  const effects = { run: (): Promise<void> => Promise.resolve() };
  const memory = { rssBytes: 0 };
  const options = { limitBytes: 1_000 * MB, recycleAtPercent: 90, everyMs: 1_000, ...own };
  const guard = new MemoryGuard(
    options,
    createLog(
      { level: 'debug', format: 'json', maxWaitingBytes: MB, maxErrorChars: 1_000 },
      { stream: log.stream, isTerminal: false, colour: false },
    ),
    () => memory.rssBytes,
  );
  const pool = {
    name: 'pool',
    dispatcher: { threads },
    renewal: {
      recycle: (thread: { name: string }) => {
        recycled.push(thread.name);
        return effects.run();
      },
    },
  };
  /** Late enough for any wait to be over. */
  let nowMs = performance.now();
  const look = async () => {
    nowMs += 3_600_000;
    guard.look([pool], nowMs);
    await new Promise(setImmediate);
  };
  return { guard, pool, memory, effects, recycled, log, look, nowMs: () => nowMs };
}

const three = () => [
  makeThread('small', 100 * MB),
  makeThread('large', 500 * MB),
  makeThread('middle', 200 * MB),
];

test('below the share of the limit nothing happens', async (t) => {
  const { memory, recycled, look } = bench(three());
  memory.rssBytes = 899 * MB;
  await look();
  t.deepEqual(recycled, []);
});

test('at it the largest thread is recycled, and the log says so', async (t) => {
  const { memory, recycled, look, log } = bench(three());
  memory.rssBytes = 900 * MB;
  await look();
  t.deepEqual(recycled, ['large']);
  t.like(log.find('near its memory limit: its largest thread'), {
    level: 'warn',
    pool: 'pool',
    thread: 'large',
    threadBytes: 500 * MB,
    rssBytes: 900 * MB,
    limitBytes: 1_000 * MB,
  });
});

test('one at a time, and then one is given time to make a difference', async (t) => {
  const { guard, pool, memory, effects, recycled, look } = bench(three());
  memory.rssBytes = 950 * MB;
  const over = Promise.withResolvers<void>();
  effects.run = () => over.promise;
  await look();
  await look();
  t.is(recycled.length, 1);
  memory.rssBytes = 920 * MB;
  over.resolve();
  await new Promise(setImmediate);
  guard.look([pool], performance.now() + 500);
  t.is(recycled.length, 1);
  guard.look([pool], performance.now() + 2_000);
  t.is(recycled.length, 2);
});

test('it stops when it has not helped twice, and says so once', async (t) => {
  const { memory, recycled, look, log } = bench(three());
  memory.rssBytes = 950 * MB;
  for (let i = 0; i < 20; i++) await look();
  t.is(recycled.length, 2);
  t.is(log.count('does not help'), 1);
});

test('having stopped it goes on when there is noticeably more, or was less again', async (t) => {
  const { memory, recycled, look } = bench(three());
  memory.rssBytes = 905 * MB;
  for (let i = 0; i < 5; i++) await look();
  t.is(recycled.length, 2);
  memory.rssBytes = 950 * MB;
  await look();
  t.is(recycled.length, 2);
  memory.rssBytes = 956 * MB;
  for (let i = 0; i < 5; i++) await look();
  t.is(recycled.length, 4);
  memory.rssBytes = 800 * MB;
  await look();
  memory.rssBytes = 905 * MB;
  await look();
  t.is(recycled.length, 5);
});

test('as long as it helps it goes on', async (t) => {
  const { memory, effects, recycled, look, log } = bench(three());
  memory.rssBytes = 990 * MB;
  effects.run = async () => {
    memory.rssBytes -= 25 * MB;
  };
  for (let i = 0; i < 10; i++) await look();
  t.is(recycled.length, 4);
  t.is(log.count('does not help'), 0);
});

test('where all threads are small the memory is elsewhere: none is recycled', async (t) => {
  const { memory, recycled, look, log } = bench([makeThread('a', 40 * MB), makeThread('b', 49 * MB)]);
  memory.rssBytes = 990 * MB;
  for (let i = 0; i < 5; i++) await look();
  t.deepEqual(recycled, []);
  t.is(log.count('does not help'), 1);
});

test('a recycling that fails counts as one that did not help', async (t) => {
  const { memory, effects, recycled, look, log } = bench(three());
  memory.rssBytes = 950 * MB;
  effects.run = () => Promise.reject(new Error('it does not load'));
  for (let i = 0; i < 10; i++) await look();
  t.is(recycled.length, 2);
  t.is(log.count('does not help'), 1);
});

test('0 percent is off', async (t) => {
  const { memory, recycled, look } = bench(three(), { recycleAtPercent: 0 });
  memory.rssBytes = 5_000 * MB;
  await look();
  t.deepEqual(recycled, []);
});

test('the system has a limit', (t) => {
  t.true(memoryOfSystem() > 0 && Number.isFinite(memoryOfSystem()));
});

test('if the system does not tell the resident memory, because no more files may be opened, the last value is used', (t) => {
  const { rss } = process.memoryUsage;
  t.teardown(() => {
    process.memoryUsage.rss = rss;
  });
  process.memoryUsage.rss = () => 5 * MB;
  t.is(residentBytes(), 5 * MB);
  process.memoryUsage.rss = () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  };
  t.is(residentBytes(), 5 * MB);
});
