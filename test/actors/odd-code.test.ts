/** What an application's own code may do at the edges of a call: arguments, iterators, stores, hooks and subscribers that throw or call back. */
import { channel } from 'node:diagnostics_channel';
import test, { type ExecutionContext } from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import { readMillisecondsFrom } from '../../wire/clock.ts';
import { type ActorContext, type Call, carry } from '../../workers/actors/actors.ts';

function throws(): never {
  throw new RangeError('it cannot be read');
}

function wildProxy(): object {
  return new Proxy({}, { get: throws, has: throws, ownKeys: throws, getPrototypeOf: throws });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Iterators by hand: the second result cannot be read. */
function results(second: object): AsyncIterable<number> {
  const given: unknown[] = [{ done: false, value: 1 }, second];
  return { [Symbol.asyncIterator]: () => ({ next: async () => given.shift() as IteratorResult<number> }) };
}

const unreadable = (): object[] => [
  wildProxy(),
  revoked(),
  {
    get done() {
      return throws();
    },
  },
  {
    get value() {
      return throws();
    },
  },
];

class Keeper {
  static interleave = ['many'];
  readonly #key: string;
  readonly #context: ActorContext;
  #sum = 0;

  constructor(key: string, context: ActorContext) {
    this.#key = key;
    this.#context = context;
  }

  stop(): void {
    if (this.#key === 'large')
      throw Object.assign(new RangeError('no goodbye'), { body: 'x'.repeat(100_000) });
  }

  add(by: number): number {
    return (this.#sum += by);
  }

  async addLater(by: number): Promise<number> {
    await Promise.resolve();
    return this.add(by);
  }

  async *count(to: number): AsyncGenerator<number> {
    for (let n = 1; n <= to; n++) yield n;
  }

  async total(numbers: AsyncIterable<number>): Promise<number> {
    let total = 0;
    for await (const number of numbers) total += number;
    return total;
  }

  async *many(which: number, _call: Call): AsyncGenerator<number> {
    yield* results(unreadable()[which] as object);
  }

  /** A promise whose `then` is its own. */
  promised(times: number): Promise<string> {
    const then = (fulfilled: (value: string) => void) => {
      for (let time = 0; time < times; time++) fulfilled('what it calls back with');
    };
    return Object.assign(Promise.resolve('what it is'), { then }) as Promise<string>;
  }

  /** Bytes that say that there are more of them, or fewer. */
  async *bytes(said: number): AsyncGenerator<Uint8Array> {
    yield Object.defineProperty(new Uint8Array(5_000).fill(7), 'byteLength', { value: said });
  }

  begin(): void {
    this.#context.restart();
  }
}

/** Replies with an iterator that nobody's generator has made. */
class Bare {
  given(which: number): AsyncIterable<number> {
    return results(unreadable()[which] as object);
  }
}
Object.defineProperty(Bare.prototype.given, Symbol.toStringTag, { value: 'AsyncGeneratorFunction' });

async function start(t: ExecutionContext) {
  const started = await testActors({ keeper: Keeper, bare: Bare });
  t.teardown(() => started.close());
  return started;
}

async function read(items: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What the store does when it is entered, or looked at. */
let store: ((callback: () => unknown) => unknown) | 'cannot be looked at' | null = null;
carry('odd', {
  getStore: () => (store === null ? undefined : store === 'cannot be looked at' ? throws() : { odd: true }),
  run: <R>(_store: object, callback: () => R): R =>
    (store as (callback: () => unknown) => unknown)(callback) as R,
});

test.serial(
  'an argument that throws when it is looked at is refused with its path, in each kind of call',
  async (t) => {
    const started = await start(t);
    const { keeper } = started.actors;
    const one = keeper.of('one');
    const refused = { code: 'SLUICE_MESSAGE_INVALID', message: /arguments\[0\]/ };
    const wild = [
      wildProxy(),
      revoked(),
      {
        get deadlineMs() {
          return throws();
        },
      },
      {
        get [Symbol.asyncIterator]() {
          return throws();
        },
      },
    ];
    for (const argument of wild) {
      const number = argument as unknown as number;
      await t.throwsAsync(one.add(number), refused);
      await t.throwsAsync(one.add(number, { deadlineMs: 100 }), refused);
      await t.throwsAsync(one.tell.add(number), refused);
      await t.throwsAsync(keeper.each.add(number), refused);
      const stream = one.count(number);
      await t.throwsAsync(stream.next(), refused);
      t.true((await stream.next()).done);
    }
    t.is(await one.add(1), 1);
  },
);

test.serial('a call that is given up while its arguments are read is not made', async (t) => {
  const started = await start(t);
  const one = started.actors.keeper.of('one');
  const controller = new AbortController();
  const argument = {
    get now() {
      controller.abort();
      return 1;
    },
  };
  const { signal } = controller;
  await t.throwsAsync(one.add(argument as unknown as number, { signal }), { code: 'SLUICE_ACTOR_ABORTED' });
  t.is(await one.add(1), 1);
});

test.serial(
  'the result of an iterator that cannot be read ends the stream, or the input, with why',
  async (t) => {
    const started = await start(t);
    const { keeper, bare } = started.actors;
    for (const which of unreadable().keys()) {
      const stream = bare.given(which) as AsyncIterable<number>;
      await t.throwsAsync(read(stream));
      await t.throwsAsync(keeper.of('one').total(results(unreadable()[which] as object)));
      await t.throwsAsync(read(keeper.of('one').many(which)));
    }
    t.is(await keeper.of('one').add(1), 1);
  },
);

test.serial('a promise that calls back never or twice is one reply', async (t) => {
  const started = await start(t);
  const one = started.actors.keeper.of('one');
  for (const times of [0, 1, 2]) t.is(await one.promised(times), 'what it is');
  t.deepEqual(await Promise.all([one.addLater(1), one.add(1)]), [1, 2]);
});

test.serial('an item of bytes arrives as long as it is, whatever its properties say', async (t) => {
  const started = await start(t);
  const one = started.actors.keeper.of('one');
  for (const said of [4_096, 90_000]) {
    for (const reuseMemory of [false, true]) {
      const { value } = await one.bytes(said, { reuseMemory }).next();
      t.deepEqual(value, new Uint8Array(5_000).fill(7));
    }
  }
});

test.serial('a store that cannot be looked at rejects the call', async (t) => {
  const started = await start(t);
  const one = started.actors.keeper.of('one');
  store = 'cannot be looked at';
  t.teardown(() => {
    store = null;
  });
  await t.throwsAsync(one.add(1), { instanceOf: RangeError });
  await t.throwsAsync(one.tell.add(1), { instanceOf: RangeError });
  await t.throwsAsync(one.count(1).next(), { instanceOf: RangeError });
  store = null;
  t.is(await one.add(1), 1);
});

test.serial(
  'whatever run of a store does: a method runs once, and its own result is its reply',
  async (t) => {
    const started = await start(t);
    const { keeper } = started.actors;
    t.teardown(() => {
      store = null;
    });
    const all = async (key: string) => {
      const one = keeper.of(key);
      return [await one.add(1), await one.addLater(1), await read(one.count(2))];
    };
    const asUsual = [1, 2, [1, 2]];

    store = (callback) => {
      callback();
      return callback();
    };
    t.deepEqual(await all('twice'), asUsual);

    store = (callback) => {
      callback();
      throws();
    };
    t.deepEqual(await all('throws behind it'), asUsual);

    store = (callback) => {
      const result = callback();
      store = null;
      void keeper.of('log').tell.add(1_000);
      store = again;
      return result;
    };
    const again = store;
    t.deepEqual(await all('calls behind it'), asUsual);

    let entered = 0;
    store = (callback) => (entered++ === 0 ? callback() : throws());
    t.is(await keeper.of('throws later').addLater(1), 1);
    entered = 0;
    t.deepEqual(await read(keeper.of('throws later').count(2)), [1, 2]);

    const kept: (() => unknown)[] = [];
    for (const run of [() => undefined, (callback: () => unknown) => kept.push(callback), throws]) {
      store = run;
      await t.throwsAsync(keeper.of('not run').add(1));
      await t.throwsAsync(keeper.of('not run').addLater(1));
      await t.throwsAsync(read(keeper.of('not run').count(2)));
    }
    for (const callback of kept) callback();
    store = null;
    t.is(await keeper.of('not run').add(1), 1);
  },
);

test.serial('a subscriber of a diagnostics channel that makes calls changes no reply', async (t) => {
  const started = await start(t);
  const { keeper } = started.actors;
  const ends = channel('sluice.actor.method.end');
  let told = 0;
  const subscriber = (message: unknown) => {
    if ((message as { key: string }).key === 'log') return;
    told++;
    void keeper.of('log').tell.add(1_000);
  };
  ends.subscribe(subscriber);
  t.teardown(() => ends.unsubscribe(subscriber));
  const one = keeper.of('one');
  t.is(await one.add(5), 5);
  t.is(await one.addLater(5), 10);
  t.deepEqual(await read(one.count(2)), [1, 2]);
  await t.throwsAsync(
    one.total(
      results({
        get done() {
          return throws();
        },
      }),
    ),
    { message: 'it cannot be read' },
  );
  t.is(told, 4);
  t.is(await keeper.of('log').add(0), 4_000);
});

test.serial('a stop that throws more than the log takes is told in short, and its key goes on', async (t) => {
  const started = await start(t);
  const large = started.actors.keeper.of('large');
  t.is(await large.add(5), 5);
  await started.replace('keeper');
  t.is(await large.add(1), 1);
  await large.begin();
  await started.settled();
  t.is(await large.add(1), 1);
  const stops = started.reports.filter(({ what }) => what === 'stop failed');
  t.deepEqual(
    stops.map(({ why }) => why.slice(0, 41)),
    Array(2).fill('RangeError: no goodbye (error.body: expec'),
  );
});

test.serial(
  'the longest deadline has not passed for a reactor that read the clock a moment before',
  async (t) => {
    const started = await start(t);
    readMillisecondsFrom(() => started.clock.nowMs + 1_000);
    const one = started.actors.keeper.of('one');
    await one.tell.add(1, { deadlineMs: Infinity });
    t.is(await one.add(1, { deadlineMs: Infinity }), 2);
    t.deepEqual(started.reports, []);
  },
);

test.serial(
  'messages that may be small bound no list of methods, and no word of what was thrown',
  async (t) => {
    class Many {
      fails(): never {
        throw new RangeError('no money');
      }
    }
    for (let which = 0; which < 200; which++) {
      Object.defineProperty(Many.prototype, `method${which}`, { value: () => which });
    }
    const started = await testActors({ many: { class: Many, kind: 'single', maxMessageBytes: 256 } });
    t.teardown(() => started.close());
    const { many } = started.actors;
    t.is(await (many as unknown as { method199(): Promise<number> }).method199(), 199);
    await t.throwsAsync(many.fails(), { code: 'SLUICE_MESSAGE_TOO_LARGE', message: /RangeError: no money/ });
  },
);
