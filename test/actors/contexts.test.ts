/** What one call enters (`AsyncLocalStorage.enterWith`) no other call sees, though a turn begins many of them. */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import { FileScope } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actorModule, startActorServer } from './actor-server.ts';

const scope = new FileScope();
let server: ActorServer;
test.before(async () => {
  server = await startActorServer(scope, {
    module: actorModule('entering'),
    state: 1,
    tasks: 1,
    actors: {
      keyed: { pool: 'state', export: 'Keyed', kind: 'keyed' },
      pooled: { pool: 'tasks', export: 'Pooled', kind: 'pool', concurrency: 9 },
    },
  });
});
test.after.always(() => scope.end());

const names = Array.from({ length: 8 }, (_, index) => `caller-${index}`);
/** Each call has a key of its own, or all have one, or there is none. */
const places: readonly (readonly [where: string, actor: string, key: (index: number) => { key?: string }])[] =
  [
    ['keyed actors', 'keyed', (index) => ({ key: `own-${index}` })],
    ['one keyed actor', 'keyed', () => ({ key: 'one' })],
    ['a pool actor', 'pooled', () => ({})],
  ];

for (const [where, actor, key] of places) {
  for (const method of ['promised', 'sync', 'thenable', 'thrown', 'stream']) {
    test(`calls at once of ${where}: ${method}`, async (t) => {
      const calls = names.map((name, index) => ({
        actor,
        ...key(index),
        method,
        args: [name],
        ...(method === 'stream' && { take: 10 }),
      }));
      const outcomes = await server.ask(...calls);
      const expected = method === 'stream' ? ['nobody'] : 'nobody';
      t.deepEqual(
        outcomes.map(({ value, error }) => error?.message ?? value),
        names.map(() => expected),
      );
    });
  }
}

test('instances that are made at once', async (t) => {
  const made = names.map((_, index) => ({ actor: 'keyed', key: `made-${index}`, method: 'made' }));
  const outcomes = await server.ask(...made);
  t.deepEqual(
    outcomes.map(({ value }) => value),
    names.map(() => 'nobody, its constructor'),
  );
});

for (const [where, actor, key] of places.slice(1)) {
  test(`listeners of calls of ${where} that end at once`, async (t) => {
    const signals = new Signals(randomUUID());
    t.teardown(() => signals.close());
    const abortOn = [signals.name, 'enough'] as const;
    const calls = names.map((name, index) => ({
      actor,
      ...key(index),
      method: 'aborted',
      args: [name],
      abortOn,
    }));
    const given = server.ask(...calls);
    const listening = { actor, ...key(0), method: 'listening' };
    while (((await server.ask(listening))[0]?.value as number) < names.length);
    signals.tell('enough');
    for (const { error } of await given) t.is(error?.code, 'SLUICE_ACTOR_ABORTED');
    // They are told a moment after the callers.
    let heard: unknown[] = [];
    do {
      const [outcome] = await server.ask({ actor, ...key(0), method: 'heard' });
      heard = outcome?.value as unknown[];
    } while (heard.length < names.length);
    for (const line of heard as string[]) {
      const [, name, context] = /^(\S+) heard in (.*)$/.exec(line) ?? [];
      // Its own call's, or that of whoever listened.
      t.true(context === name || context === 'nobody', line);
    }
  });
}
