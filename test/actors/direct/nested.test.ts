/** Asks that a method makes: they go over direct channels as others do, and a circle of them is refused all the same. */
import test, { type ExecutionContext } from 'ava';
import type { TestThread } from '../../../runtime/testing/hosts.ts';
import type { ActorContext, Call } from '../../../workers/actors/actors.ts';
import { type Pair, type PairOptions, startPair } from './pair.ts';

const gates = new Map<string, PromiseWithResolvers<void>>();
/** What was asked by methods that did not wait for it. */
const notAwaited: Promise<string>[] = [];
let current: Pair;

function gate(name: string): PromiseWithResolvers<void> {
  let known = gates.get(name);
  if (known === undefined) {
    known = Promise.withResolvers<void>();
    gates.set(name, known);
  }
  return known;
}

/** Asks the first of a path, which asks the next: `b y` is the instance of the actor b with the key y. */
function askAlong(thread: TestThread, [first = '', ...others]: readonly string[]): Promise<string> {
  const [name = '', key = ''] = first.split(' ');
  return current.handleIn<typeof Node>(thread, name).of(key).ask(others);
}

class Node {
  static interleave = ['look'];
  readonly #context: ActorContext;

  constructor(_key: string, context: ActorContext) {
    this.#context = context;
  }

  get #home(): TestThread {
    return current.hosts.get(this.#context.pool) as TestThread;
  }

  async ask(path: readonly string[], call: Call): Promise<string> {
    call.signal.addEventListener('abort', () => gate(`aborted ${this.#context.actor}`).resolve());
    const { actor, key } = this.#context;
    if (path[0]?.startsWith('at ')) {
      gate(`waits at ${path[0]}`).resolve();
      await gate(path[0]).promise;
      return path.length === 1 ? `${actor} ${key}` : await askAlong(this.#home, path.slice(1));
    }
    return path.length === 0 ? `${actor} ${key}` : await askAlong(this.#home, path);
  }

  /** As `ask`, while another method runs. */
  async look(path: readonly string[]): Promise<string> {
    return path.length === 0 ? 'looked' : await askAlong(this.#home, path);
  }

  /** Ends before its answer has come. */
  leave(path: readonly string[]): void {
    notAwaited.push(askAlong(this.#home, path));
  }
}

test.beforeEach(() => {
  gates.clear();
  notAwaited.length = 0;
});

/** Three actors, each in a thread of its own. */
async function startThree(
  t: ExecutionContext,
  settings: { readonly [name: string]: object } = {},
  options: PairOptions = {},
): Promise<Pair> {
  const of = (name: string) => ({ class: Node, pool: name, settings: { ...settings[name] } });
  current = await startPair(t, { a: of('a'), b: of('b'), c: of('c') }, { maxChannels: 16, ...options });
  return current;
}

function ask(...path: string[]): Promise<string> {
  return askAlong(current.callers[0] as TestThread, path);
}

function isJoined(pool: string, instance: string): boolean {
  const { side } = (pool === '' ? current.callers[0] : current.hosts.get(pool)) as TestThread;
  const link = [...current.directory.links].find(({ name }) => name === threadOf(side));
  return [...(link?.conversations.values() ?? [])].some(
    ({ mailbox }) => `${mailbox.actor.settings.name} ${mailbox.key}` === instance,
  );
}

function threadOf(side: TestThread['side']): string {
  return side.contextOf(side.states[0]?.settings as never, '', () => undefined).thread;
}

/** Asks until every step of the path goes over a direct channel. */
async function joinAlong(...path: string[]): Promise<void> {
  const from = ['', ...path.map((instance) => instance.split(' ')[0] as string)];
  for (let tries = 0; !path.every((instance, at) => isJoined(from[at] as string, instance)); tries++) {
    if (tries > 50) throw new Error(`${path.join(', ')} do not join`);
    await ask(...path);
    await current.settle();
  }
}

test.serial('what a method asks goes directly, and the reactor hears of none of it', async (t) => {
  const { turns, directory } = await startThree(t);
  await joinAlong('a x', 'b y', 'c z');
  const { received } = turns;
  for (let n = 0; n < 200; n++) t.is(await ask('a x', 'b y', 'c z'), 'c z');
  t.is(turns.received, received, 'messages that the reactor has received');
  directory.direct.callBackAll();
  await current.settle();
  t.true(directory.direct.tally.calls >= 600);
  t.is(directory.openMessages, 0);
});

for (const [how, ...paths] of [
  ['over two direct channels', ['a x', 'b y'], ['b y', 'a x']],
  ['over three direct channels', ['a x', 'b y'], ['b y', 'c z'], ['c z', 'a x']],
  ['of which the last one goes by way of the reactor', ['a x', 'b y'], ['b y', 'c z']],
  ['of which one in between goes by way of the reactor', ['a x', 'b y'], ['c z', 'a x']],
  ['of which the first goes by way of the reactor', ['b y', 'c z'], ['c z', 'a x']],
  ['of which all go by way of the reactor'],
] as const) {
  test.serial(`a circle of calls ${how} is refused at once, and its instances answer`, async (t) => {
    await startThree(t, {}, how.includes('all go') ? { maxChannels: 0 } : {});
    for (const path of paths) await joinAlong(...path);
    const circle = how.includes('two') ? ['a x', 'b y', 'a x'] : ['a x', 'b y', 'c z', 'a x'];
    const error = await t.throwsAsync(ask(...circle), { code: 'SLUICE_ACTOR_CYCLE' });
    t.regex(error?.message ?? '', /^a "x": the call waits, by [23] others/);
    await current.settle();
    for (const instance of ['a x', 'b y', 'c z']) t.is(await ask(instance), instance);
    await current.settle();
    t.is(current.directory.openMessages, 0);
  });
}

test.serial('what interleaves is no circle, over direct channels as well', async (t) => {
  await startThree(t);
  await joinAlong('a x', 'b y');
  await joinAlong('b y', 'a x');
  // `look` may run while `ask` does, and the other way round.
  t.is(await current.handle<typeof Node>('a').of('x').look(['b y', 'a x']), 'a x');
});

test.serial('a call that does not wait for what it has asked is in no circle', async (t) => {
  await startThree(t);
  await joinAlong('a x', 'b y');
  await joinAlong('b y', 'a x');
  await current.handle<typeof Node>('a').of('x').leave(['b y', 'at the gate', 'a x']);
  await current.settle();
  gate('at the gate').resolve();
  t.is(await notAwaited[0], 'a x');
});

for (const first of ['directly', 'by way of the reactor'] as const) {
  test.serial(
    `a call that is taken back before it has begun keeps its chain, where the one before it came ${first}`,
    async (t) => {
      await startThree(t);
      const deep = ['b y', 'a x'];
      await joinAlong(...(first === 'directly' ? ['a x', 'b y'] : ['a other', 'b y']));
      const b = current.hosts.get('b') as TestThread;
      current.hold(b);
      const asked = ask('a x', ...deep);
      await current.settle();
      t.is(b.side.calls.openCalls, 0);
      current.directory.direct.callBackAll();
      await current.settle();
      current.release(b);
      await t.throwsAsync(asked, { code: 'SLUICE_ACTOR_CYCLE' });
      await current.settle();
      t.is(current.directory.openMessages, 0);
    },
  );
}

test.serial('maxCallDepth counts calls over direct channels', async (t) => {
  await startThree(t, { c: { maxCallDepth: 2 } });
  await joinAlong('a x', 'b y');
  await joinAlong('b y', 'c z');
  const error = await t.throwsAsync(ask('a x', 'b y', 'c z'), { code: 'SLUICE_ACTOR_CYCLE' });
  t.regex(error?.message ?? '', /^c: expected at most 2 calls within calls/);
  t.is(await ask('b y', 'c z'), 'c z');
});

test.serial('a chain that is longer than a payload carries is the reactor’s to look at', async (t) => {
  await startThree(t);
  const chain: string[] = [];
  for (let n = 0; n < 10; n++) chain.push(`a ${n}`, `b ${n}`);
  t.is(await ask(...chain), 'b 9');
  for (let at = 0; at + 1 < chain.length; at++) {
    // Those that are not too deep go directly from here on.
    if (at % 2 === 0) await joinAlong(...chain.slice(at, at + 2));
  }
  for (let tries = 0; tries < 5; tries++) t.is(await ask(...chain), 'b 9');
  for (const back of ['a 0', 'a 5', 'b 8']) {
    await t.throwsAsync(ask(...chain, back), { code: 'SLUICE_ACTOR_CYCLE' });
    await current.settle();
  }
  t.is(current.directory.openMessages, 0);
});

test.serial(
  'long keys, and messages that have no room for a chain, are no way around the circle',
  async (t) => {
    await startThree(t, { b: { maxMessageBytes: 3_000 } });
    const long = `a ${'x'.repeat(300)}`;
    for (const path of [
      [long, 'c z'],
      ['a x', 'b y'],
    ]) {
      for (let n = 0; n < 10; n++) await ask(...path);
      await t.throwsAsync(ask(...path, path[0] as string), { code: 'SLUICE_ACTOR_CYCLE' });
    }
  },
);

test.serial('a thread that dies ends what its methods have asked directly', async (t) => {
  await startThree(t);
  await joinAlong('a x', 'b y');
  const asked = t.throwsAsync(ask('a x', 'b y', 'at the gate'), { code: 'SLUICE_ACTOR_DIED' });
  await gate('waits at at the gate').promise;
  (current.hosts.get('a') as TestThread).die();
  await asked;
  await gate('aborted b').promise;
  gate('at the gate').resolve();
  await current.settle();
  t.is(current.directory.openMessages, 0);
  t.is(await ask('b y'), 'b y');
});
