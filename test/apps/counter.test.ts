/** The sample counters: one for each name, whichever thread gets the request, and also after a reload. */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Count } from '../../apps/counter/counter.ts';
import { startServer } from '../server/harness.ts';

const of = (name: string) => fileURLToPath(new URL(`../../apps/counter/${name}.ts`, import.meta.url));

type Answer = Count & { readonly askedBy: number };

test('increments from many concurrent requests are counted once each, and continue after a reload', async (t) => {
  t.teardown(() => rm(join(tmpdir(), `sluice-counter-${process.pid}`), { recursive: true, force: true }));
  const { origin, server } = await startServer(t, {
    pools: {
      counter: { application: of('app'), module: of('counter'), threads: { min: 2, max: 2 } },
    },
    actors: { counter: { pool: 'counter', export: 'Counter', kind: 'keyed' } },
  });
  const ask = async (method: string, name: string): Promise<Answer> => {
    const response = await fetch(`${origin}/counter/value?name=${encodeURIComponent(name)}`, { method });
    t.is(response.status, 200);
    return (await response.json()) as Answer;
  };
  const name = '../../étrange';
  const pushed = await Promise.all(Array.from({ length: 60 }, () => ask('POST', name)));
  t.deepEqual(
    pushed.map(({ n }) => n).sort((a, b) => a - b),
    Array.from({ length: 60 }, (_, n) => n + 1),
  );
  t.is(new Set(pushed.map(({ thread }) => thread)).size, 1, 'it lives on one thread');
  t.is((await ask('GET', 'another')).n, 0);

  await server.reload(server.config);
  await server.reloadSettled();
  const after = await ask('POST', name);
  t.like(after, { n: 61, lives: 2 });
  t.not(after.thread, pushed[0]?.thread);
});

test('an invalid counter name and a wrong method are refused', async (t) => {
  const { origin } = await startServer(t, {
    pools: { counter: { application: of('app'), module: of('counter'), threads: { min: 1, max: 1 } } },
    actors: { counter: { pool: 'counter', export: 'Counter', kind: 'keyed' } },
  });
  t.is((await fetch(`${origin}/counter/value?name=${'x'.repeat(41)}`)).status, 400);
  t.is((await fetch(`${origin}/counter/value?name=`)).status, 400);
  t.is((await fetch(`${origin}/counter/value`, { method: 'DELETE' })).status, 405);
  t.regex(await (await fetch(`${origin}/counter`)).text(), /<title>Counter/);
});
