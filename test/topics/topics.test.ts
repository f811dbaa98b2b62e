/** Topics over threads: who gets what, in which order, and what each has missed. Real threads. */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import { Signals } from '../server/signals.ts';
import { numbersOf, startTopicServer, type Taken, type TopicServer, upTo } from './topic-server.ts';

function topicsOf({ server }: TopicServer) {
  const { actors } = server.parts;
  if (actors === null) throw new Error('the server has no directory');
  return actors.topics;
}

test('each subscription gets every message of each publisher in order, and a thread gets each once', async (t) => {
  const started = await startTopicServer(t, ['a', 'b', 'c']);
  const { run } = started;
  for (const pool of ['a', 'b', 'c']) {
    await run(
      pool,
      { subscribe: 'one', topic: 'news', capacity: 4_000 },
      { subscribe: 'two', topic: 'news', capacity: 4_000 },
      { subscribe: 'other', topic: 'others' },
    );
  }
  await Promise.all([
    run('a', { publish: 'news', from: 'a', count: 1_000 }),
    run('b', { publish: 'news', from: 'b', count: 1_000 }),
  ]);
  const orders = new Set<string>();
  for (const pool of ['a', 'b', 'c']) {
    const [one, two, missed] = (await run(
      pool,
      { take: 'one', count: 2_000 },
      { take: 'two', count: 2_000 },
      { missed: 'one' },
    )) as [Taken, Taken, number];
    for (const taken of [one, two]) {
      t.deepEqual(numbersOf(taken, 'a'), upTo(1_000));
      t.deepEqual(numbersOf(taken, 'b'), upTo(1_000));
      orders.add(JSON.stringify(taken.messages));
    }
    t.is(missed, 0);
  }
  t.is(orders.size, 1, 'all see the messages of all publishers in one order');
  t.deepEqual(topicsOf(started).tally, { published: 2_000, events: 6_000, refused: 0, droppedBefore: 0 });
});

test('a subscription that is full drops the oldest, drops the newest, or closes, and counts what it missed', async (t) => {
  const { run } = await startTopicServer(t, ['a', 'b']);
  const subscribe = (whenFull: string) => ({ subscribe: whenFull, topic: 'news', capacity: 4, whenFull });
  await run('a', subscribe('drop-oldest'), subscribe('drop-newest'), subscribe('close'), {
    subscribe: 'last',
    topic: 'news',
  });
  await run('b', { publish: 'news', from: 'b', count: 10 });
  await run('a', { until: 'last', n: 9 });
  const [oldest, missedOldest, newest, missedNewest, closing, missedClosing] = (await run(
    'a',
    { take: 'drop-oldest', count: 4 },
    { missed: 'drop-oldest' },
    { take: 'drop-newest', count: 4 },
    { missed: 'drop-newest' },
    { take: 'close', count: 10 },
    { missed: 'close' },
  )) as [Taken, number, Taken, number, Taken, number];
  t.deepEqual([numbersOf(oldest, 'b'), missedOldest], [[6, 7, 8, 9], 6]);
  t.deepEqual([numbersOf(newest, 'b'), missedNewest], [[0, 1, 2, 3], 6]);
  t.deepEqual(numbersOf(closing, 'b'), [0, 1, 2, 3]);
  t.is(closing.failed, 'SLUICE_TOPIC_MISSED');
  t.is(missedClosing, 1, 'it has ended with the first that was lost');
  // What has ended is not full any more, and a new one begins with what comes next.
  await run('a', { subscribe: 'again', topic: 'news' });
  await run('b', { publish: 'news', from: 'b', count: 1, first: 10 });
  const [again, missed] = (await run('a', { take: 'again', count: 1 }, { missed: 'again' })) as [
    Taken,
    number,
  ];
  t.deepEqual([numbersOf(again, 'b'), missed], [[10], 0]);
});

test('a subscription is bounded in bytes as well', async (t) => {
  const { run } = await startTopicServer(t, ['a'], { subscriptionBytes: 10_000, maxMessageBytes: 4_000 });
  await run(
    'a',
    { subscribe: 'few', topic: 'news', capacity: 1_000 },
    { subscribe: 'last', topic: 'marks' },
    { publish: 'news', from: 'a', count: 8, padBytes: 3_000 },
    { publish: 'marks', from: 'a', count: 1 },
    { until: 'last', n: 0 },
  );
  const [taken, missed] = (await run('a', { take: 'few', count: 3 }, { missed: 'few' })) as [Taken, number];
  t.deepEqual([numbersOf(taken, 'a'), missed], [[5, 6, 7], 5]);
});

test('a thread that does not read: its publisher is not slowed, others miss nothing, received and missed are what was sent', async (t) => {
  const COUNT = 6_000;
  const threadBytes = 1_048_576;
  const started = await startTopicServer(
    t,
    ['publisher', 'reader', 'deaf'],
    { threadBytes, subscriptionBytes: 1_073_741_824 },
    { ringBytes: 262_144 },
  );
  const { run } = started;
  const all = { capacity: 1_000_000 };
  await run('reader', { subscribe: 'all', topic: 'news', ...all });
  await run(
    'deaf',
    { subscribe: 'all', topic: 'news', ...all },
    { subscribe: 'some', topic: 'news', capacity: 10, whenFull: 'drop-newest' },
  );
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const begun = signals.until('go-begun');
  const blocked = run('deaf', { block: signals.name, word: 'go' });
  await begun;
  // As much at a time as waits for a thread that reads, however slowly.
  for (let first = 0; first < COUNT; first += 500) {
    const publish = { publish: 'news', from: 'p', count: 500, first, padBytes: 1_000 };
    const [published] = await run('publisher', publish);
    t.deepEqual(published, { sent: 500, refused: [] }, 'it is published while a thread does not read');
    const [read] = (await run('reader', { until: 'all', n: first + 499 })) as [Taken];
    t.deepEqual(numbersOf(read, 'p'), upTo(500, first), 'and another thread gets it all');
  }
  const [link] = topicsOf(started).outlets.filter(({ waitingBytes }) => waitingBytes > 0);
  t.true(link !== undefined && link.waitingBytes <= threadBytes);
  t.true((link?.dropped ?? 0) > 0);

  signals.tell('go');
  await blocked;
  const [late, missedLate, some, missedSome] = (await run(
    'deaf',
    { until: 'all', n: COUNT - 1 },
    { missed: 'all' },
    { take: 'some', count: 10 },
    { missed: 'some' },
  )) as [Taken, number, Taken, number];
  const numbers = numbersOf(late, 'p');
  t.is(numbers.length + missedLate, COUNT);
  t.is(missedLate, link?.dropped);
  t.is(10 + missedSome, COUNT, 'each of its subscriptions counts for itself');
  t.deepEqual(numbersOf(some, 'p'), upTo(10));
  t.deepEqual(
    [...numbers].sort((a, b) => a - b),
    numbers,
    'what it got is in order',
  );
  const [reading] = (await run('reader', { missed: 'all' })) as [number];
  t.is(reading, 0);
});

test('a subscription that begins on a thread which is behind counts nothing of what came before it', async (t) => {
  const started = await startTopicServer(
    t,
    ['publisher', 'deaf'],
    { threadBytes: 131_072 },
    { ringBytes: 262_144 },
  );
  const { run } = started;
  await run('deaf', { subscribe: 'first', topic: 'news', capacity: 10_000 });
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const begun = signals.until('go-begun');
  const steps = run('deaf', { block: signals.name, word: 'go' }, { subscribe: 'second', topic: 'news' });
  await begun;
  // Its own message comes back behind all that the reactor has passed on before.
  await run(
    'publisher',
    { subscribe: 'own', topic: 'marks' },
    { publish: 'news', from: 'p', count: 1_000, padBytes: 1_000 },
    { publish: 'marks', from: 'p', count: 1 },
    { take: 'own', count: 1 },
  );
  signals.tell('go');
  await steps;
  await run('publisher', { publish: 'news', from: 'p', count: 1, first: 1_000 });
  const [second, missed, first, missedFirst] = (await run(
    'deaf',
    { take: 'second', count: 1 },
    { missed: 'second' },
    { until: 'first', n: 1_000 },
    { missed: 'first' },
  )) as [Taken, number, Taken, number];
  t.deepEqual([numbersOf(second, 'p'), missed], [[1_000], 0]);
  t.is(first.messages.length + missedFirst, 1_001);
  t.true(missedFirst > 0);
});

test('what is published without being awaited is refused beyond publishBytes, retryable, and what was not arrives in order', async (t) => {
  const { run } = await startTopicServer(t, ['a', 'b'], { publishBytes: 131_072 }, { ringBytes: 262_144 });
  await run('b', { subscribe: 'all', topic: 'news', capacity: 10_000 });
  const [{ sent, refused }] = (await run('a', {
    publish: 'news',
    from: 'a',
    count: 1_000,
    padBytes: 1_000,
    together: true,
  })) as [{ sent: number; refused: string[] }];
  t.true(refused.length > 0);
  t.is(sent + refused.length, 1_000);
  t.deepEqual(new Set(refused), new Set(['SLUICE_TOPIC_OVERLOADED true']));
  await run('a', { publish: 'news', from: 'a', count: 1, first: 1_000 });
  const [all, missed] = (await run('b', { until: 'all', n: 1_000 }, { missed: 'all' })) as [Taken, number];
  t.is(all.messages.length, sent + 1);
  t.is(missed, 0);
  const numbers = numbersOf(all, 'a');
  t.deepEqual(
    [...numbers].sort((a, b) => a - b),
    numbers,
  );
});

test('a thread that dies takes its subscriptions along, and nobody else notices', async (t) => {
  const started = await startTopicServer(t, ['a', 'b', 'c']);
  const { run, kill, log } = started;
  await run('a', { subscribe: 'all', topic: 'news' }, { subscribe: 'own', topic: 'own' });
  await run('b', { subscribe: 'all', topic: 'news' });
  t.is(topicsOf(started).size, 3, 'with the one of the lifespan hooks');
  const replaced = log.until('thread died');
  kill('a-1');
  await replaced;
  await run('c', { publish: 'news', from: 'c', count: 100 });
  const [taken] = (await run('b', { take: 'all', count: 100 })) as [Taken];
  t.deepEqual(numbersOf(taken, 'c'), upTo(100));
  t.is(topicsOf(started).size, 2);
  // Its replacement begins anew.
  await run('a', { subscribe: 'all', topic: 'news' });
  await run('c', { publish: 'news', from: 'c', count: 1, first: 100 });
  const [anew] = (await run('a', { take: 'all', count: 1 })) as [Taken];
  t.deepEqual(numbersOf(anew, 'c'), [100]);
});

test('a topic is forgotten with its last subscription', async (t) => {
  const started = await startTopicServer(t, ['a', 'b']);
  const { run } = started;
  await run('a', { subscribe: 'one', topic: 'news' }, { subscribe: 'two', topic: 'news' });
  await run('b', { subscribe: 'one', topic: 'news' });
  await run('a', { close: 'one' });
  await run('b', { close: 'one' });
  await run('b', { publish: 'news', from: 'b', count: 1 });
  const [two] = (await run('a', { take: 'two', count: 1 }, { close: 'two' })) as [Taken];
  t.deepEqual(numbersOf(two, 'b'), [0]);
  // Its messages come one after the other: what was left before has been when this has begun.
  await run('a', { subscribe: 'three', topic: 'marks' });
  t.is(topicsOf(started).size, 2, 'the marks, and the one of the lifespan hooks');
  const [ended] = (await run('a', { take: 'two', count: 1 })) as [Taken];
  t.deepEqual(ended, { messages: [], ended: true });
});

test('topics and subscriptions beyond their limits are refused', async (t) => {
  const { tell } = await startTopicServer(t, ['a'], { maxTopics: 3, maxSubscriptions: 4 });
  const subscribe = (name: string, topic: string) => ({ subscribe: name, topic });
  const [, , third, again, over] = await tell(
    'a',
    subscribe('1', 'one'),
    subscribe('2', 'two'),
    subscribe('3', 'three'),
    subscribe('4', 'two'),
    subscribe('5', 'two'),
  );
  t.like(third?.error, { code: 'SLUICE_TOPIC_OVERLOADED', retryable: true });
  t.regex(String(third?.error?.message), /topics\.maxTopics/);
  t.is(again?.error, undefined, 'what was refused counts no more');
  t.like(over?.error, { code: 'SLUICE_TOPIC_OVERLOADED', retryable: true });
  const [closed, place] = await tell('a', { close: '1' }, subscribe('6', 'six'));
  t.deepEqual([closed?.error, place?.error], [undefined, undefined], 'a place that was given back');
});

test('plain data arrives as it is, and everything else is refused with its path', async (t) => {
  const { tell, run } = await startTopicServer(t, ['a']);
  await run('a', { subscribe: 'one', topic: 'news' }, { subscribe: 'two', topic: 'news' });
  const [rich, wrong, large] = await tell(
    'a',
    { value: 'rich', topic: 'news' },
    { value: 'function', topic: 'news' },
    { value: 'large', topic: 'news' },
  );
  t.is(rich?.error, undefined);
  t.like(wrong?.error, { code: 'SLUICE_MESSAGE_INVALID', retryable: false });
  t.regex(String(wrong?.error?.message), /message\.inner\[0\]: expected plain data, got a function/);
  t.like(large?.error, { code: 'SLUICE_MESSAGE_TOO_LARGE' });
  const [taken] = (await run('a', { take: 'one', count: 1 })) as [Taken];
  t.is(taken.messages.length, 1);
});

test('names and options that are none are refused, and what there should be is said', async (t) => {
  const { tell } = await startTopicServer(t, ['a']);
  const told = await tell(
    'a',
    { subscribe: '1', topic: '' },
    { subscribe: '2', topic: 'x'.repeat(257) },
    { subscribe: '3', topic: 'news', capacity: 0 },
    { subscribe: '4', topic: 'news', whenFull: 'wait' },
  );
  t.deepEqual(
    told.map(({ error }) => error?.code),
    [
      'SLUICE_TOPIC_NAME_INVALID',
      'SLUICE_TOPIC_NAME_INVALID',
      'SLUICE_TOPIC_OPTION_INVALID',
      'SLUICE_TOPIC_OPTION_INVALID',
    ],
  );
});

test('a lifespan hook subscribes; a reload brings threads that do so anew, and no message is lost meanwhile', async (t) => {
  const started = await startTopicServer(t, ['a', 'b']);
  const { run, server } = started;
  await run('b', { publish: 'early', from: 'b', count: 3 });
  const [first] = (await run('a', { take: 'early', count: 3 })) as [Taken];
  t.deepEqual(numbersOf(first, 'b'), [0, 1, 2]);
  await server.reload(server.config);
  await server.reloadSettled();
  t.is(topicsOf(started).size, 1);
  await run('b', { publish: 'early', from: 'b', count: 3 });
  const [second, missed] = (await run('a', { take: 'early', count: 3 }, { missed: 'early' })) as [
    Taken,
    number,
  ];
  t.deepEqual([numbersOf(second, 'b'), missed], [[0, 1, 2], 0]);
});

test('a server that stops, and a thread that is replaced, wait for no subscription', async (t) => {
  const { run, server, log } = await startTopicServer(t, ['a', 'b']);
  for (const pool of ['a', 'b']) await run(pool, { subscribe: 'one', topic: 'news' });
  const pool = server.parts.pools.find(({ name }) => name === 'b');
  for (const thread of [...(pool?.threads ?? [])]) await pool?.renewal.replaceThread(thread);
  t.deepEqual(
    [...(pool?.threads ?? [])].map(({ name }) => name),
    ['b-2'],
  );
  await server.drain();
  t.truthy(log.find('stopped'));
  t.is(log.find('drain deadline reached: applications that have not stopped are ended'), undefined);
});
