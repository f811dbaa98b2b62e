/** Threads that die, are replaced or reloaded while messages go from others to others: what was published arrives, in order, and once. */
import test from 'ava';
import { FileScope } from '../server/harness.ts';
import { numbersOf, startTopicServer, type Taken, type TopicServer, upTo } from './topic-server.ts';

const scope = new FileScope();
let shared: TopicServer;
test.before(async () => {
  const roomy = { subscriptionBytes: 1_073_741_824, threadBytes: 1_073_741_824 };
  shared = await startTopicServer(scope, ['publisher', 'other', 'subscriber'], roomy);
});
test.after.always(() => scope.end());

/** More than any test publishes of one publisher. */
const LAST = 1_000_000;
const roomy = { capacity: LAST };

/** The subscription's messages up to one that says that no more follow, and how many it has missed. */
async function rest(name: string): Promise<{ taken: Taken; missed: number }> {
  const steps = [{ until: name, n: LAST }, { missed: name }, { close: name }];
  const reading = shared.run('subscriber', ...steps);
  await shared.run('other', { publish: name, from: 'the end', count: 1, first: LAST });
  const [taken, missed] = (await reading) as [Taken, number];
  return { taken, missed };
}

test.serial('a publisher that dies while it publishes: what comes of it has no gap', async (t) => {
  const { run, kill, log } = shared;
  await run('subscriber', { subscribe: 'killed', topic: 'killed', ...roomy });
  const publishing = t.throwsAsync(run('publisher', { publish: 'killed', from: 'p', count: 30_000 }));
  const [begun] = (await run('subscriber', { take: 'killed', count: 100 })) as [Taken];
  t.deepEqual(numbersOf(begun, 'p'), upTo(100));
  const died = log.until('thread died');
  kill('publisher-1');
  await died;
  await publishing;
  const { taken, missed } = await rest('killed');
  const numbers = numbersOf(taken, 'p');
  t.deepEqual(numbers, upTo(numbers.length, 100));
  t.is(missed, 0);
});

test.serial('a publisher that exits: all that it has published arrives', async (t) => {
  const { run } = shared;
  await run('subscriber', { subscribe: 'exited', topic: 'exited', ...roomy });
  await t.throwsAsync(run('publisher', { publish: 'exited', from: 'p', count: 100 }, { exit: 1 }));
  const { taken, missed } = await rest('exited');
  t.deepEqual(numbersOf(taken, 'p'), upTo(100));
  t.is(missed, 0);
});

test.serial(
  'a thread with a subscription is replaced: what its exchange still reads arrives, and then it is gone',
  async (t) => {
    const { run, server } = shared;
    await run('subscriber', { subscribe: 'replaced', topic: 'replaced', ...roomy });
    await run('other', { subscribe: 'replaced', topic: 'replaced', ...roomy });
    await run('publisher', { publish: 'replaced', from: 'p', count: 10 });
    const reading = run('other', { take: 'replaced', count: 20 }, { missed: 'replaced' });
    const pool = server.parts.pools.find(({ name }) => name === 'other');
    const [old] = pool?.threads ?? [];
    if (pool === undefined || old === undefined) throw new Error('there is no thread to replace');
    while (old.outstanding === 0) await run('publisher', { publish: 'nothing', from: 'p', count: 1 });
    const replaced = pool.renewal.replaceThread(old);
    await run('publisher', { publish: 'replaced', from: 'p', count: 10, first: 10 });
    const [read, missedThere] = (await reading) as [Taken, number];
    t.deepEqual([numbersOf(read, 'p'), missedThere], [upTo(20), 0]);
    await replaced;
    const outlets = server.parts.actors?.topics.outlets ?? [];
    const readers = new Map(outlets.map((outlet) => [outlet.link.name, outlet.readers.size]));
    t.is(readers.get(old.name), undefined);
    t.is(readers.get('other-2'), 1, 'of the lifespan hook');
    const { taken, missed } = await rest('replaced');
    t.deepEqual([numbersOf(taken, 'p'), missed], [upTo(20), 0]);
  },
);

test.serial(
  'a reload while others publish: nothing is lost for others, and their order is kept',
  async (t) => {
    const { run, server } = shared;
    await run('subscriber', { subscribe: 'reloaded', topic: 'reloaded', ...roomy });
    // In the thread that is there before the reload, which the reload lets come to its end.
    const reading = run('subscriber', { until: 'reloaded', n: LAST }, { missed: 'reloaded' });
    const AT_ONCE = 50;
    let isReloaded = false;
    const publish = async (pool: string): Promise<number> => {
      let first = 0;
      // Some in the old threads and some in the new ones.
      for (let after = 0; after < 3; first += AT_ONCE) {
        if (isReloaded) after++;
        const step = { publish: 'reloaded', from: pool, count: AT_ONCE, first };
        t.deepEqual(await run(pool, step), [{ sent: AT_ONCE, refused: [] }]);
      }
      return first;
    };
    const published = Promise.all([publish('publisher'), publish('other')]);
    await server.reload(server.config);
    isReloaded = true;
    const counts = await published;
    await run('other', { publish: 'reloaded', from: 'the end', count: 1, first: LAST });
    const [taken, missed] = (await reading) as [Taken, number];
    t.is(missed, 0);
    for (const [index, from] of ['publisher', 'other'].entries()) {
      const numbers = numbersOf(taken, from);
      t.deepEqual(
        numbers.toSorted((x, y) => x - y),
        upTo(counts[index] ?? 0),
      );
      // Order is each thread's own, and what was published at once is one thread's.
      const positions = new Map(numbers.map((n, position) => [n, position]));
      for (let n = 1; n < numbers.length; n++) {
        if (n % AT_ONCE !== 0) t.true((positions.get(n) ?? 0) > (positions.get(n - 1) ?? 0), `${from} ${n}`);
      }
    }
    await server.reloadSettled();
  },
);
