/** A module of actors that stops to load: the version that runs goes on with its instances, its calls and its keys, and an operator sees why. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ActorClass } from '../../workers/actors/types.ts';
import { AppFolder } from '../reload/app-folder.ts';
import { configInput, type PoolInput, type ServerInput, startServer } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { actorServerInput } from './actor-server.ts';
import type { Asked, Outcome } from './applications/caller.ts';
import { startPair } from './direct/pair.ts';

const SIGNALS = fileURLToPath(new URL('../server/signals.ts', import.meta.url));

/** A counter for each key, which holds its key while the test says so, and tasks. */
const version = (text: string): string => `
  import { Signals } from ${JSON.stringify(SIGNALS)};
  export class Counter {
    #n = 0;
    add(by) { return (this.#n += by); }
    async hold(channel) {
      const signals = new Signals(channel);
      const released = signals.until('go');
      signals.tell('begun');
      await released;
      signals.close();
      return ++this.#n;
    }
  }
  export class Tasks {
    version() { return ${JSON.stringify(text)}; }
  }
`;

const broken: readonly [title: string, source: string, why: RegExp][] = [
  ['it throws', `${version('two')} throw new Error('no such luck');`, /got Error: no such luck/],
  ['it is no JavaScript', 'export class Counter {', /got SyntaxError: /],
  [
    'it has lost a class',
    'export class Tasks { version() {} }',
    /got TypeError: actor counter: expected .*actors\.mjs to export a class Counter, got a module that exports Tasks/,
  ],
  [
    'a start fails',
    `${version('two')} Tasks.prototype.start = async () => { throw new RangeError('no connection'); };`,
    /got RangeError: no connection/,
  ],
  [
    'a start does not settle',
    `${version('two')} Tasks.prototype.start = () => new Promise(() => undefined);`,
    /got ActorError: tasks: expected start\(\) to settle within 100 ms, it has not/,
  ],
];

test('a reload whose module of actors does not load changes nothing: instances, calls and keys stay, and the pool says why', async (t) => {
  const folder = new AppFolder(t);
  const { pools, ...input } = actorServerInput({
    actors: {
      counter: { pool: 'state', export: 'Counter', kind: 'keyed', deadlineMs: 300_000 },
      tasks: { pool: 'state', export: 'Tasks', kind: 'pool', startTimeoutMs: 100 },
    },
    module: folder.write('actors.mjs', version('one')),
    pool: { minUptimeMs: 0 },
  });
  // Only this pool has the module, so it is the one that fails.
  const { callers, state: stateful } = pools as Record<string, PoolInput>;
  const full = { ...input, pools: { callers, state: stateful } } as ServerInput;
  const { origin, server, log } = await startServer(t, full);
  const ask = async (...asked: Asked[]): Promise<Outcome[]> => {
    const response = await fetch(origin, { method: 'POST', body: JSON.stringify(asked) });
    return (await response.json()) as Outcome[];
  };
  const reload = () =>
    server.reload(parseConfig(JSON.stringify(configInput(full)), 'test.config.json'), new Set(['state']));
  const state = () => server.status().pools.find(({ name }) => name === 'state');
  const add = (key: string): Asked => ({ actor: 'counter', key, method: 'add', args: [1] });
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const begun = signals.until('begun');
  t.deepEqual(await ask(add('a'), add('b')), [{ value: 1 }, { value: 1 }]);
  const held = ask({ actor: 'counter', key: 'a', method: 'hold', args: [signals.name] });
  await begun;
  const waits = ask(add('a'));
  const threads = state()?.threads.map(({ name }) => name);
  for (const [round, [title, source, why]] of broken.entries()) {
    folder.write('actors.mjs', source);
    const error = await t.throwsAsync(reload(), { code: 'SLUICE_APPLICATION_LOAD_FAILED' }, title);
    t.regex(`${error?.message}`, why, title);
    t.regex(`${state()?.stale?.why}`, why, title);
    const outcomes = await ask(add('b'), { actor: 'tasks', method: 'version' });
    t.deepEqual(outcomes, [{ value: 2 + round }, { value: 'one' }], title);
    const running = state()?.threads.filter((thread) => thread.state === 'ready');
    t.deepEqual(
      running?.map(({ name }) => name),
      threads,
      title,
    );
  }
  signals.tell('go');
  t.deepEqual(await held, [{ value: 2 }]);
  t.deepEqual(await waits, [{ value: 3 }], 'of the same instance');
  t.is(server.parts.actors?.openMessages, 0);
  t.is(log.count('a message to an actor was lost'), 0);

  folder.write('actors.mjs', version('two'));
  await reload();
  t.is(state()?.stale, null);
  await server.reloadSettled();
  t.deepEqual(await ask(add('a'), { actor: 'tasks', method: 'version' }), [{ value: 1 }, { value: 'two' }]);
});

class First {
  readonly key: string;

  constructor(key: string, _context: object) {
    this.key = key;
  }

  first(): string {
    return 'first';
  }
}

class Second {
  readonly key: string;

  constructor(key: string, _context: object) {
    this.key = key;
  }

  second(): string {
    return 'second';
  }
}

test.serial(
  'callers know the methods of the version that goes on, when the next one has been given up',
  async (t) => {
    const definition: { class: ActorClass; readonly pool: string } = { class: First, pool: 'host' };
    const pair = await startPair(t, { worker: definition });
    const worker = pair.handle<typeof First>('worker').of('a');
    t.is(await worker.first(), 'first');
    definition.class = Second;
    const second = await pair.start('host');
    await pair.settle();
    const anew = () => pair.handle<typeof First>('worker').of('a').first();
    t.throws(anew, { code: 'SLUICE_ACTOR_METHOD_UNKNOWN' });
    second.die();
    await pair.settle();
    t.is(await anew(), 'first');
    t.throws(() => pair.handle<typeof Second>('worker').of('a').second(), {
      code: 'SLUICE_ACTOR_METHOD_UNKNOWN',
    });
  },
);
