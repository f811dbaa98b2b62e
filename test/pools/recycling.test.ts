/** Which threads are replaced although they are well, and when: on a clock of the test's own. */
import test from 'ava';
import {
  Recycling,
  type RecyclingCause,
  type RecyclingOptions,
  type RecyclingThread,
} from '../../runtime/pools/recycling.ts';

const OFF: RecyclingOptions = {
  maxExchanges: 0,
  maxAgeMs: 0,
  maxHeapBytes: 0,
  maxExternalBytes: 0,
  jitterPercent: 0,
  maxAtOncePercent: 50,
};

function makeThread(): RecyclingThread & {
  tally: { ended: number };
  vitals: { liveHeapBytes: number; externalBytes: number };
} {
  return { tally: { ended: 0 }, vitals: { liveHeapBytes: 0, externalBytes: 0 } };
}

function bench(own: Partial<RecyclingOptions>, count = 4, random = () => 0) {
  const threads = Array.from({ length: count }, makeThread);
  const asked: [index: number, cause: RecyclingCause][] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const owner = {
    readyThreads: count,
    recycle: (thread: RecyclingThread, cause: RecyclingCause) => {
      asked.push([threads.indexOf(thread as (typeof threads)[number]), cause]);
      const answer = Promise.withResolvers<void>();
      answers.push(answer);
      return answer.promise;
    },
  };
  const recycling = new Recycling({ ...OFF, ...own }, owner, random);
  let nowMs = 0;
  const look = (ms = 1_000) => {
    nowMs += ms;
    recycling.look(threads, nowMs);
  };
  recycling.look(threads, 0);
  return { threads, asked, answers, look };
}

/** What a promise's settling has set off. */
const settled = () => new Promise(setImmediate);

test('nothing is recycled when everything is off', (t) => {
  const { threads, asked, look } = bench({});
  for (const { tally, vitals } of threads) {
    tally.ended = 1e9;
    vitals.liveHeapBytes = 1e12;
    vitals.externalBytes = 1e12;
  }
  for (let i = 0; i < 10; i++) look(1e9);
  t.deepEqual(asked, []);
});

test('a thread is due after so many exchanges, once', async (t) => {
  const { threads, asked, answers, look } = bench({ maxExchanges: 100 });
  threads[1]!.tally.ended = 99;
  look();
  t.deepEqual(asked, []);
  threads[1]!.tally.ended = 100;
  look();
  look();
  t.deepEqual(asked, [[1, 'exchanges']]);
  answers[0]!.resolve();
  await settled();
  look();
  t.is(asked.length, 1);
});

test('a thread is due by its age, and no more than a share of them at once', async (t) => {
  const { asked, answers, look } = bench({ maxAgeMs: 60_000 });
  look(59_000);
  t.deepEqual(asked, []);
  look(1_000);
  look(1_000);
  t.deepEqual(asked, [
    [0, 'age'],
    [1, 'age'],
  ]);
  answers[0]!.resolve();
  await settled();
  look();
  t.deepEqual(asked.at(-1), [2, 'age']);
  t.is(asked.length, 3);
});

test('of a single thread one is replaced at a time, however small the share', (t) => {
  const { asked, look } = bench({ maxAgeMs: 1_000, maxAtOncePercent: 1 }, 1);
  look(5_000);
  t.deepEqual(asked, [[0, 'age']]);
});

for (const [cause, option, word] of [
  ['heap', 'maxHeapBytes', 'liveHeapBytes'],
  ['external', 'maxExternalBytes', 'externalBytes'],
] as const) {
  test(`a thread is due when it was too large for three looks on end: ${cause}`, (t) => {
    const { threads, asked, look } = bench({ [option]: 1_000 });
    const { vitals } = threads[2]!;
    vitals[word] = 1_000;
    look();
    look();
    vitals[word] = 999;
    look();
    vitals[word] = 5_000;
    look();
    look();
    t.deepEqual(asked, [], 'what was garbage has gone');
    look();
    t.deepEqual(asked, [[2, cause]]);
  });
}

test('the jitter takes from what each thread has', (t) => {
  let turn = 0;
  const { asked, look } = bench(
    { maxAgeMs: 100_000, jitterPercent: 20, maxAtOncePercent: 100 },
    3,
    () => turn++ / 2,
  );
  look(80_000);
  t.deepEqual(asked, [[2, 'age']]);
  look(10_000);
  t.deepEqual(asked.at(-1), [1, 'age']);
  look(10_000);
  t.deepEqual(asked.at(-1), [0, 'age']);
});

test('a thread that could not be replaced is tried again, later and later', async (t) => {
  const { asked, answers, look } = bench({ maxAgeMs: 1_000 }, 1);
  const gaps: number[] = [];
  look();
  for (let attempt = 0; attempt < 4; attempt++) {
    answers.at(-1)!.reject(new Error('it does not load'));
    await settled();
    const before = asked.length;
    let seconds = 0;
    for (; asked.length === before; seconds++) look();
    gaps.push(seconds);
  }
  t.deepEqual(gaps, [10, 20, 40, 80]);
});

test('the pause begins when the replacement has failed, however long that took', async (t) => {
  const { asked, answers, look } = bench({ maxAgeMs: 1_000 }, 1);
  for (let i = 0; i < 30; i++) look();
  answers.at(-1)!.reject(new Error('it does not load'));
  await settled();
  for (let i = 0; i < 9; i++) look();
  t.is(asked.length, 1);
  look();
  t.is(asked.length, 2);
});

test('looks that come sooner than a second count for none', (t) => {
  const { threads, asked, look } = bench({ maxExternalBytes: 1_000 });
  threads[0]!.vitals.externalBytes = 2_000;
  for (let i = 0; i < 100; i++) look(5);
  t.deepEqual(asked, []);
});
