/** `start` and `stop` that do not settle: their time is bounded, who waits for them is told, and the key begins again. */
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import type { ActorContext } from '../../workers/actors/actors.ts';
import { hostedActor } from '../../workers/actors/load.ts';
import { startPair } from './direct/pair.ts';

type Hook = 'start' | 'stop';

const told: string[] = [];
/** Hooks that do not settle. */
const hanging = new Set<Hook>();
/** Those that have not settled, oldest first. */
const held: PromiseWithResolvers<void>[] = [];
let objects = 0;

async function run(hook: Hook, object: number): Promise<void> {
  told.push(`${hook} ${object}`);
  if (!hanging.has(hook)) return;
  const hold = Promise.withResolvers<void>();
  held.push(hold);
  await hold.promise;
  told.push(`${hook} ${object} ends`);
}

class Session {
  readonly #object = ++objects;
  readonly #context: ActorContext;

  constructor(_key: string, context: ActorContext) {
    this.#context = context;
  }

  start(): Promise<void> {
    return run('start', this.#object);
  }

  stop(): Promise<void> {
    return run('stop', this.#object);
  }

  use(): number {
    return this.#object;
  }

  restarts(): number {
    this.#context.restart('again');
    return this.#object;
  }
}

class Only extends Session {
  constructor(context: ActorContext) {
    super('', context);
  }
}

test.beforeEach(() => {
  told.length = 0;
  held.length = 0;
  hanging.clear();
  objects = 0;
});

async function begin(t: ExecutionContext) {
  const started = await testActors({
    session: Session,
    only: { class: Only, kind: 'single' },
    each: { class: Only, kind: 'pool' },
  });
  t.teardown(() => started.close());
  told.length = 0;
  objects = 0;
  return started;
}

const START_TIMEOUT = {
  name: 'ActorError',
  code: 'SLUICE_ACTOR_START_TIMEOUT',
  begun: 'no',
  by: 'actor',
  retryable: true,
};
const STOP_SAYS =
  'ActorError: session: expected stop() to settle within 10000 ms, it has not. The next instance starts with what this one has saved so far; give what it awaits a shorter time, or raise $.actors.session.stopTimeoutMs';

test.serial(
  'a start that does not settle fails the calls that wait for it when its time is over, and the next call makes another instance',
  async (t) => {
    const started = await begin(t);
    const { actors, clock } = started;
    hanging.add('start');
    const session = actors.session.of('a');
    let waiting = 2;
    const asks = [session.use(), session.use()].map(async (ask) => {
      const error = await t.throwsAsync(ask);
      waiting--;
      return error;
    });
    await session.tell.use();
    await clock.advance(9_999);
    t.is(waiting, 2);
    hanging.clear();
    t.is(await actors.session.of('b').use(), 2, 'other keys are not held up');
    await clock.advance(1);
    for (const error of await Promise.all(asks)) {
      t.like(error, START_TIMEOUT);
      t.is(
        error?.message,
        'session: expected start() to settle within 10000 ms, it has not. The next call makes another instance; give what it awaits a shorter time, or raise $.actors.session.startTimeoutMs (method use)',
      );
    }
    t.deepEqual(
      started.reports.map(({ what, key }) => `${what} ${key}`),
      ['tell failed a'],
    );
    t.is(await session.use(), 3);
    // What it does now is for nobody.
    held[0]?.resolve();
    await started.settled();
    t.is(await session.use(), 3);
    t.deepEqual(told, ['start 1', 'start 2', 'start 3', 'start 1 ends']);
  },
);

test.serial('a start that fails when its time is over changes nothing', async (t) => {
  const started = await begin(t);
  const { actors, clock } = started;
  hanging.add('start');
  const refused = t.throwsAsync(actors.only.use(), { code: START_TIMEOUT.code });
  await clock.advance(10_000);
  await refused;
  hanging.clear();
  held[0]?.reject(new Error('too late'));
  await started.settled();
  t.is(await actors.only.use(), 2);
});

test.serial(
  'a stop that does not settle is told when its time is over, and what waits goes to the next instance',
  async (t) => {
    const { actors, clock, reports } = await begin(t);
    const session = actors.session.of('a');
    t.is(await session.use(), 1);
    hanging.add('stop');
    await clock.advance(60_000);
    t.deepEqual(told, ['start 1', 'stop 1'], 'it was idle for long enough');
    const waits = session.use();
    await clock.advance(9_999);
    t.deepEqual(told, ['start 1', 'stop 1']);
    await clock.advance(1);
    t.is(await waits, 2);
    t.deepEqual(reports, [{ what: 'stop failed', actor: 'session', key: 'a', why: STOP_SAYS }]);
    held[0]?.resolve();
    t.is(await session.use(), 2);
  },
);

test.serial('a thread that is replaced waits for a stop as long as that may take', async (t) => {
  const started = await begin(t);
  const { actors, clock, reports } = started;
  t.is(await actors.session.of('a').use(), 1);
  t.is(await actors.session.of('b').use(), 2);
  hanging.add('stop');
  const replaced = started.replace('session');
  const waits = actors.session.of('b').use();
  for (let n = 0; n < 10_000 && held.length < 2; n++) await setImmediate();
  await clock.advance(10_000);
  await replaced;
  t.is(await waits, 3);
  t.deepEqual(
    reports.map(({ what, key }) => `${what} ${key}`),
    ['stop failed a', 'stop failed b'],
  );
});

test.serial('an instance that begins anew has the same times for both', async (t) => {
  const { actors, clock, reports } = await begin(t);
  for (const actor of [actors.session.of('a'), actors.only, actors.each]) {
    const before = reports.length;
    const first = await actor.use();
    hanging.add('stop').add('start');
    const restarts = actor.restarts();
    const waits = t.throwsAsync(actor.use(), { code: START_TIMEOUT.code });
    t.is(await restarts, first);
    await clock.advance(10_000);
    await clock.advance(10_000);
    await waits;
    t.deepEqual(told.slice(-2), [`stop ${first}`, `start ${objects}`]);
    t.deepEqual(
      reports.slice(before).map(({ what }) => what),
      ['restart', 'stop failed', 'start failed'],
    );
    hanging.clear();
    t.is(await actor.use(), objects);
  }
});

test.serial('an instance is not stopped while it starts', async (t) => {
  const started = await begin(t);
  const { actors, clock } = started;
  hanging.add('start');
  const given = t.throwsAsync(actors.session.of('a').use({ deadlineMs: 100 }), {
    code: 'SLUICE_ACTOR_DEADLINE',
  });
  await clock.advance(100);
  await given;
  const replaced = started.replace('session');
  // Long enough for its thread to be told.
  for (let n = 0; n < 100; n++) await setImmediate();
  held[0]?.resolve();
  await replaced;
  t.deepEqual(told, ['start 1', 'start 1 ends', 'stop 1']);
});

test.serial('what waits over a direct channel for a start hears of it as well', async (t) => {
  const pair = await startPair(t, { session: { class: Session, pool: 'host' } });
  const session = pair.handle<typeof Session>('session').of('a');
  for (let n = 0; n < 4; n++) {
    t.is(await session.use(), 1);
    await pair.settle();
  }
  t.is(pair.directory.direct.conversations, 1);
  hanging.add('start');
  const restarts = session.restarts({ deadlineMs: 60_000 });
  const waits = t.throwsAsync(session.use({ deadlineMs: 60_000 }));
  t.is(await restarts, 1);
  await pair.pass(10_000);
  t.like(await waits, START_TIMEOUT);
  hanging.clear();
  t.is(await session.use(), 3);
});

test.serial('a thread that starts says which start it waits for', async (t) => {
  const pair = await startPair(t, {
    each: { class: Only, pool: 'host', settings: { kind: 'pool' } },
  });
  hanging.add('start');
  const { side } = pair.hosts.get('host') as NonNullable<ReturnType<typeof pair.hosts.get>>;
  const [state] = side.states;
  if (state === undefined) throw new Error('there is an actor');
  const steps: string[] = [];
  const opened = side.host.open([hostedActor(0, state.settings, Only as never)], (step) => steps.push(step));
  t.deepEqual(steps, ['the start() of actor each']);
  const late = t.throwsAsync(opened, { code: START_TIMEOUT.code });
  pair.clock.pass(10_000);
  await late;
  t.deepEqual(steps, ['the start() of actor each'], 'which is what it failed for');
});
