/** Instances that begin anew of their own will. */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import type { ActorContext } from '../../workers/actors/actors.ts';
import { Signals } from '../server/signals.ts';
import { startActorServer } from './actor-server.ts';

const told: string[] = [];
let objects = 0;
/** What the next `start` or `stop` throws. */
let fault: { readonly at: 'start' | 'stop' } | null = null;

class Session {
  static interleave = ['peek'];
  readonly #key: string;
  readonly #context: ActorContext;
  readonly #object = ++objects;
  #used = 0;

  constructor(key: string, context: ActorContext) {
    this.#key = key;
    this.#context = context;
  }

  async start(): Promise<void> {
    told.push(`start ${this.#object}`);
    this.#context.restart('not while it starts');
    if (fault?.at === 'start') throw new RangeError('no connection');
  }

  async stop(): Promise<void> {
    told.push(`stop ${this.#object}`);
    if (fault?.at === 'stop') throw new RangeError('no goodbye');
  }

  async use(): Promise<string> {
    told.push(`begin ${this.#object}`);
    await Promise.resolve();
    return `${this.#key} ${this.#object}.${++this.#used}`;
  }

  /** Finds that it is broken, and still answers. */
  async breaks(reason: unknown): Promise<string> {
    this.#context.restart(reason);
    this.#context.restart('once is enough');
    await new Promise((resolve) => setImmediate(resolve));
    return this.use();
  }

  peek(): number {
    return this.#used;
  }

  /** Begins anew when nothing runs. */
  async onTimer(): Promise<void> {
    setImmediate(() => this.#context.restart());
  }
}

const WHYS = [
  'restart: Error: a',
  'stop failed: RangeError: no goodbye',
  'restart: Error: b',
  'start failed: RangeError: no connection',
];

test.beforeEach(() => {
  told.length = 0;
  objects = 0;
  fault = null;
});

test.serial(
  'one that restarts ends what it has begun, stops, and a new one goes on with what waits, in order',
  async (t) => {
    const started = await testActors({ session: Session });
    t.teardown(() => started.close());
    const session = started.actors.session.of('k');
    t.is(await session.use(), 'k 1.1');
    const all = [session.breaks(new Error('connection lost')), session.use(), session.use()];
    t.deepEqual(await Promise.all(all), ['k 1.2', 'k 2.1', 'k 2.2']);
    t.deepEqual(told, ['start 1', 'begin 1', 'begin 1', 'stop 1', 'start 2', 'begin 2', 'begin 2']);
    t.deepEqual(started.reports, [
      { what: 'restart', actor: 'session', key: 'k', why: 'Error: connection lost' },
    ]);
  },
);

test.serial(
  'nothing interleaves while it begins anew, and one without messages does so at once',
  async (t) => {
    const started = await testActors({ session: Session });
    t.teardown(() => started.close());
    const session = started.actors.session.of('k');
    await session.onTimer();
    await started.settled();
    t.deepEqual(told, ['start 1', 'stop 1', 'start 2']);
    await session.use();
    const [, peeked] = await Promise.all([session.breaks('again'), session.peek()]);
    t.is(peeked, 0, 'the new one has been asked');
    t.is(started.reports.length, 2);
  },
);

test.serial(
  'a stop that throws is told, and one that cannot start fails what waits; the next call makes another',
  async (t) => {
    const started = await testActors({ session: Session });
    t.teardown(() => started.close());
    const session = started.actors.session.of('k');
    await session.use();
    fault = { at: 'stop' };
    t.deepEqual(await Promise.all([session.breaks('a'), session.use()]), ['k 1.2', 'k 2.1']);
    fault = { at: 'start' };
    const [answer, waited] = await Promise.allSettled([session.breaks('b'), session.use()]);
    t.like(answer, { value: 'k 2.2' });
    t.like(waited, { status: 'rejected', reason: { name: 'RangeError', message: 'no connection' } });
    fault = null;
    t.is(await session.use(), 'k 4.1');
    t.deepEqual(
      started.reports.map(({ what, why }) => `${what}: ${why}`),
      WHYS,
    );
  },
);

test.serial('an instance that is to stop while it begins anew does both, in that order', async (t) => {
  const started = await testActors({ session: Session });
  t.teardown(() => started.close());
  const session = started.actors.session.of('k');
  await session.breaks('anew');
  await started.replace('session');
  t.deepEqual(told.slice(-3), ['stop 1', 'start 2', 'stop 2']);
  t.is(await session.use(), 'k 3.1');
});

test('an instance of a pool begins anew in its thread, what else it runs ends first, and the status counts it', async (t) => {
  const { ask, log, server } = await startActorServer(t, {
    actors: { tasks: { pool: 'tasks', export: 'Tasks', kind: 'pool' } },
    tasks: 1,
  });
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const begun = signals.until('begun');
  const hold = ask({ actor: 'tasks', method: 'hold', args: [signals.name, 'go'] });
  await begun;
  t.deepEqual(await ask({ actor: 'tasks', method: 'restarts', args: ['leaks'] }), [{ value: 1 }]);
  const line = await log.until('actor restarts');
  t.like(line, { level: 'warn', actor: 'tasks', thread: 'tasks-1' });
  const next = ask({ actor: 'tasks', method: 'restarts', args: ['leaks again'] });
  signals.tell('go');
  t.deepEqual(await hold, [{ value: 'tasks-1' }]);
  t.deepEqual(await next, [{ value: 2 }], 'of another object, in the same thread');
  await ask({ actor: 'tasks', method: 'where' });
  t.is(server.status().actors[0]?.restarts, 2);
  t.is(log.count('thread died'), 0);
});
