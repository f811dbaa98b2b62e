/** Actors in a test of their own, as an application's tests would use them. */
import { inspect } from 'node:util';
import test from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import {
  type ActorContext,
  type ActorError,
  actor,
  type Call,
  type Keyed,
  topic,
  type Unkeyed,
} from '../../workers/actors/actors.ts';

const saved = new Map<string, number>();

class Counter {
  static interleave = ['peek'];
  readonly #key: string;
  readonly #context: ActorContext;
  #n = 0;

  constructor(key: string, context: ActorContext) {
    this.#key = key;
    this.#context = context;
  }

  start(): void {
    this.#n = saved.get(this.#key) ?? 0;
  }

  stop(): void {
    if (this.#key === 'unsavable') throw new Error('disk full');
    saved.set(this.#key, this.#n);
  }

  async add(by: number, _call: Call): Promise<number> {
    this.#n += by;
    return this.#n;
  }

  peek(): { n: number; thread: string } {
    return { n: this.#n, thread: this.#context.thread };
  }

  async waits(call: Call): Promise<string> {
    await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    return 'never heard';
  }

  async around(): Promise<number> {
    return await actor<typeof Relay>('relay').add(this.#key);
  }

  async *count(to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n++) yield n;
  }

  fails(): never {
    throw new RangeError('as it should');
  }
}

class Relay {
  async add(key: string): Promise<number> {
    return await actor<typeof Counter>('counter').of(key).add(1);
  }

  echo<T>(value: T): T {
    return value;
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(value?: T): T | undefined {
  return value;
}

test.beforeEach(() => saved.clear());

test.serial('clients have the types of the classes, and a class with a key is keyed', async (t) => {
  const started = await testActors({ counter: Counter, relay: Relay, other: { class: Relay, kind: 'pool' } });
  t.teardown(() => started.close());
  const { actors } = started;
  holds<Equal<typeof actors.counter, Keyed<Counter>>>();
  holds<Equal<typeof actors.relay, Unkeyed<Relay>>>();
  holds<Equal<typeof actors.other, Unkeyed<Relay>>>();
  const sum: number = await actors.counter.of('a').add(2);
  t.is(sum, 2);
  t.is(await actors.counter.of('a').add(3), 5);
  t.is(await actors.counter.of('b').add(1), 1);
  t.is(await actors.relay.add('a'), 6);
  t.is(await actor<typeof Counter>('counter').of('a').add(1), 7, 'code under test finds them by name');
  t.is(await actors.other.echo('plain'), 'plain');
  // @ts-expect-error: it has no such method
  t.throws(() => actors.relay.missing(), { code: 'SLUICE_ACTOR_METHOD_UNKNOWN' });
  // @ts-expect-error: a number is wanted
  await actors.counter.of('a').add('1');
});

test.serial(
  'a value that no message can carry is refused with its path, and other values arrive unchanged',
  async (t) => {
    const started = await testActors({ relay: Relay });
    t.teardown(() => started.close());
    const { relay } = started.actors;
    await t.throwsAsync(relay.echo({ deep: [() => 1] }), {
      code: 'SLUICE_MESSAGE_INVALID',
      message: /arguments\[0\]\.deep\[0\]/,
    });
    const value = new Map([['set', new Set([1n, undefined])]]);
    const back = await relay.echo(value);
    t.deepEqual(back, value);
    t.not(back, value, 'it is a copy');
  },
);

test.serial('a deadline passes when the test advances the clock', async (t) => {
  const started = await testActors({ counter: Counter });
  t.teardown(() => started.close());
  let outcome: unknown = 'open';
  const asked = started.actors.counter.of('a').waits({ deadlineMs: 500 });
  asked.catch((error: ActorError) => {
    outcome = error.code;
  });
  await started.clock.advance(499);
  t.is(outcome, 'open');
  await started.clock.advance(1);
  t.is(outcome, 'SLUICE_ACTOR_DEADLINE');
  t.is(started.clock.nowMs, 500);
});

test.serial(
  'when a thread is killed, calls in progress fail, and the rest continue in a new instance',
  async (t) => {
    const started = await testActors({ counter: Counter });
    t.teardown(() => started.close());
    const a = started.actors.counter.of('a');
    await a.add(10);
    const begun = a.waits();
    const waiting = [a.add(1), a.add(1)];
    const before = (await a.peek()).thread;
    const died = t.throwsAsync(begun, { code: 'SLUICE_ACTOR_DIED' });
    await started.kill('counter');
    t.like(await died, { begun: 'yes', retryable: false });
    t.deepEqual(await Promise.all(waiting), [1, 2], 'what the last instance had not saved is gone');
    t.not((await a.peek()).thread, before);
  },
);

test.serial(
  'while a thread is stalled its mailbox fills, and accepted calls are handled afterwards',
  async (t) => {
    const started = await testActors({ counter: { class: Counter, kind: 'keyed', mailboxMessages: 3 } });
    t.teardown(() => started.close());
    const a = started.actors.counter.of('a');
    const release = started.stall('counter');
    for (let n = 0; n < 3; n++) await a.tell.add(1);
    const refused = await t.throwsAsync(a.tell.add(1), { code: 'SLUICE_ACTOR_OVERLOADED' });
    t.like(refused, { begun: 'no', retryable: true });
    const late = t.throwsAsync(a.add(1, { deadlineMs: 100 }), { code: 'SLUICE_ACTOR_OVERLOADED' });
    await late;
    await started.clock.advance(100);
    release();
    await started.settled();
    t.is((await a.peek()).n, 3);
    t.deepEqual(started.reports, []);
  },
);

test.serial('a call that waits past its deadline for a stalled thread never runs', async (t) => {
  const started = await testActors({ counter: Counter });
  t.teardown(() => started.close());
  const a = started.actors.counter.of('a');
  const release = started.stall('counter');
  const asked = t.throwsAsync(a.add(1, { deadlineMs: 100 }), { code: 'SLUICE_ACTOR_DEADLINE' });
  await started.clock.advance(100);
  await asked;
  release();
  t.is((await a.peek()).n, 0);
});

test.serial('a circle of calls fails at once', async (t) => {
  const started = await testActors({ counter: Counter, relay: Relay });
  t.teardown(() => started.close());
  await t.throwsAsync(started.actors.counter.of('a').around(), { code: 'SLUICE_ACTOR_CYCLE' });
  t.is(await started.actors.counter.of('a').add(1), 1);
});

test.serial(
  'an idle instance stops, and one whose thread is replaced continues from its saved state',
  async (t) => {
    const started = await testActors({ counter: Counter });
    t.teardown(() => started.close());
    const { counter } = started.actors;
    await counter.of('a').add(4);
    await started.clock.advance(59_999);
    t.false(saved.has('a'));
    await started.clock.advance(1);
    t.is(saved.get('a'), 4);
    t.is(await counter.of('a').add(1), 5);
    await counter.of('unsavable').add(1);
    await started.replace('counter');
    t.is(saved.get('a'), 5);
    t.is(await counter.of('a').add(1), 6);
    t.deepEqual(started.reports, [
      { what: 'stop failed', actor: 'counter', key: 'unsavable', why: 'Error: disk full' },
    ]);
  },
);

test.serial('streams, topics, and failed tells', async (t) => {
  const started = await testActors({ counter: Counter });
  t.teardown(() => started.close());
  const a = started.actors.counter.of('a');
  const items: number[] = [];
  for await (const n of a.count(100)) {
    items.push(n);
    if (n === 40) break;
  }
  t.is(items.length, 41);
  const news = topic<number>('news').subscribe();
  await news.ready;
  await topic<number>('news').publish(7);
  t.deepEqual(await news.next(), { done: false, value: 7 });
  await a.tell.fails();
  await started.settled();
  t.deepEqual(started.reports, [
    { what: 'tell failed', actor: 'counter', key: 'a', why: 'RangeError: as it should' },
  ]);
});

test.serial('mistakes of callers are told with what to do instead', async (t) => {
  const started = await testActors({ counter: Counter, relay: Relay });
  t.teardown(() => started.close());
  const { counter, relay } = started.actors;
  const wrong = (value: unknown) => value as Record<string, (...args: unknown[]) => unknown>;
  await counter.of('a').add(1);
  t.throws(() => wrong(counter).add(1), {
    code: 'SLUICE_ACTOR_KEY_INVALID',
    message: 'counter: expected of(key) or each, got add: a keyed actor needs the key first, of(key).add',
  });
  t.throws(() => wrong(counter).of(7), { code: 'SLUICE_ACTOR_KEY_INVALID', message: /, got 7$/ });
  t.throws(() => wrong(relay).of('a'), {
    code: 'SLUICE_ACTOR_KEY_INVALID',
    message: 'relay: expected a method, got of(): a single actor has no keys',
  });
  t.throws(() => wrong(counter.of('a').tell).count(1), {
    code: 'SLUICE_ACTOR_METHOD_UNKNOWN',
    message: /in a tell, whose reply nobody reads; count replies with a stream/,
  });
  t.throws(() => wrong(topic('news')).subscribe(() => undefined), {
    code: 'SLUICE_TOPIC_OPTION_INVALID',
    message: 'news: expected options or nothing, got a function: read the subscription with for await',
  });
  t.throws(() => wrong(topic('news')).subscribe({ size: 4 }), {
    code: 'SLUICE_TOPIC_OPTION_INVALID',
    message: 'news: expected the options capacity and whenFull, got "size"',
  });
});

test.serial('handles and clients can be logged', async (t) => {
  const started = await testActors({ counter: Counter });
  t.teardown(() => started.close());
  const { counter } = started.actors;
  await counter.of('a').add(1);
  t.is(inspect(counter.of('a')), 'ActorClient of "a"');
  t.notThrows(() => inspect(counter));
  t.is(JSON.stringify({ counter, client: counter.of('a') }), '{"counter":{},"client":{}}');
});

test.serial('after its end calls fail, and there are no actors by name', async (t) => {
  const started = await testActors({ counter: Counter });
  const open = t.throwsAsync(started.actors.counter.of('a').waits(), { code: 'SLUICE_ACTOR_STOPPED' });
  await started.settled();
  await started.close();
  await started.close();
  await open;
  t.throws(() => actor<typeof Counter>('counter').of('a'), { code: 'SLUICE_ACTOR_UNKNOWN' });
});

test.serial('settings that a configuration could not contain are refused', async (t) => {
  await t.throwsAsync(testActors({ counter: { class: Counter, kind: 'keyed', mailboxMessages: 0 } }), {
    instanceOf: TypeError,
    message: /counter\.mailboxMessages: expected a whole number from 1 to 1000000/,
  });
  for (const [definitions, message] of [
    [undefined, 'expected an object of actors by name, { counter: Counter }, got undefined'],
    [[Counter], 'expected an object of actors by name, { counter: Counter }, got an array'],
    [
      { c: new Relay() },
      'c: expected a class, { class, kind } or { functions, kind }, got an instance of Relay',
    ],
    [{ c: './c.ts' }, 'c: expected a class, { class, kind } or { functions, kind }, got ./c.ts'],
    [
      { c: { class: Counter } },
      'c.kind: missing, expected "pool", "keyed", "single" [SLUICE_CONFIG_MISSING_KEY]',
    ],
    [
      { c: { class: Counter, kind: 'keyed', mailboxMessage: 4 } },
      'c.mailboxMessage: expected a known key, got "mailboxMessage"; did you mean "mailboxMessages"? [SLUICE_CONFIG_UNKNOWN_KEY]',
    ],
  ] as const) {
    await t.throwsAsync(testActors(definitions as never), { instanceOf: TypeError, message });
  }
  const started = await testActors({ counter: Counter });
  t.teardown(() => started.close());
  await t.throwsAsync(started.kill('missing' as never), {
    message: /expected one of counter, got "missing"/,
  });
});
