/** What the compiler makes of an actor's class: these lines are the test, and running them shows that they are read. */
import test from 'ava';
import {
  actor,
  type Call,
  type CallOptions,
  type Client,
  type EachResult,
  type Handle,
  type Keyed,
  type Unkeyed,
} from '../../workers/actors/actors.ts';

class Cart {
  readonly #key: string;
  constructor(key: string) {
    this.#key = key;
  }
  start(): void {}
  stop(): void {}
  add(by: number, call: Call): number {
    return call.remainingMs + by;
  }
  async rename(name?: string): Promise<{ name: string | undefined }> {
    return { name: name ?? this.#key };
  }
  note(text = '', call?: Call): string {
    return `${text} ${call?.remainingMs}`;
  }
  fails(): never {
    throw new RangeError('as it should');
  }
  async *ticks(everyMs: number, call: Call): AsyncGenerator<bigint> {
    yield BigInt(everyMs + call.remainingMs);
  }
  readonly field = 1;
}

class Cache {
  get(key: string): Map<string, number> {
    return new Map([[key, 1]]);
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(value?: T): T | undefined {
  return value;
}

test('a class with a key has instances, another is one', (t) => {
  holds<Equal<Handle<typeof Cart>, Keyed<Cart>>>();
  holds<Equal<Handle<typeof Cache>, Unkeyed<Cache>>>();
  t.pass();
});

test('a method becomes an ask of its own type, without the call, and a tell', (t) => {
  type Ask = Client<Cart>['add'];
  type Tell = Client<Cart>['tell']['add'];
  holds<Equal<ReturnType<Ask>, Promise<number>>>();
  holds<Equal<ReturnType<Tell>, Promise<void>>>();
  holds<Equal<Parameters<Ask>[0], number>>();
  holds<Equal<ReturnType<Client<Cart>['rename']>, Promise<{ name: string | undefined }>>>();
  holds<Equal<ReturnType<Client<Cache>['get']>, Promise<Map<string, number>>>>();
  t.pass();
});

test('a parameter that may be left out has to be passed, if only as undefined, also before a call that may be', (t) => {
  holds<Equal<Parameters<Client<Cart>['rename']>[0], string | undefined>>();
  holds<Equal<Parameters<Client<Cart>['note']>, [text: string | undefined, options?: CallOptions]>>();
  t.pass();
});

test('an async generator becomes a stream of what it yields, and no tell', (t) => {
  holds<Equal<ReturnType<Client<Cart>['ticks']>, AsyncIterableIterator<bigint>>>();
  holds<Equal<Client<Cart>['tell']['ticks'], never>>();
  holds<Equal<ReturnType<Client<Cart>['tell']['fails']>, Promise<void>>>();
  t.pass();
});

test('a call for each instance has a result for each, and a stream none', (t) => {
  type Each = Handle<typeof Cart>['each'];
  holds<Equal<ReturnType<Each['add']>, Promise<EachResult<number>[]>>>();
  holds<Equal<Each['ticks'], never>>();
  holds<Equal<Parameters<Handle<typeof Cache>['each']['get']>[0], string>>();
  t.pass();
});

test('of a module the functions are the methods', (t) => {
  type Tasks = Handle<typeof import('./applications/tasks.ts')>;
  holds<Equal<ReturnType<Tasks['double']>, Promise<number>>>();
  holds<Equal<ReturnType<Tasks['sum']>, AsyncIterableIterator<import('./applications/tasks.ts').Progress>>>();
  // @ts-expect-error nobody else starts it
  type Start = Tasks['start'];
  holds<Equal<Start, Start>>();
  t.pass();
});

test('what is no method of theirs is refused by the compiler, and by the runtime', (t) => {
  const carts = actor<typeof Cart>('cart');
  const cache = actor<typeof Cache>('cache');
  const wrong: (() => unknown)[] = [
    // @ts-expect-error a keyed actor has no methods without a key
    () => carts.add(1),
    // @ts-expect-error an actor without keys has no instances to choose from
    () => cache.of('k'),
    // @ts-expect-error a string is no number
    () => carts.of('k').add('1'),
    // @ts-expect-error the name of a field
    () => carts.of('k').field,
    // @ts-expect-error nobody else stops it
    () => carts.of('k').stop(),
    // @ts-expect-error an argument that may be left out of a method has to be passed
    () => carts.of('k').rename(),
    () => carts.of('k').add(1, { deadlineMs: 5 }),
    () => carts.of('k').rename(undefined),
    () => carts.of('k').note(undefined),
    () => carts.of('k').rename('x', { signal: new AbortController().signal }),
    () => carts.of('k').tell.add(1),
    () => cache.get('x'),
  ];
  // No server runs here, so each says so.
  for (const call of wrong) t.throws(call, { code: 'SLUICE_ACTOR_UNKNOWN' });
});
