/** Lifespan hooks that call actors: those of applications elsewhere, and those of an application that shares its threads with the actor. */
import { randomUUID } from 'node:crypto';
import { setEnvironmentData } from 'node:worker_threads';
import test from 'ava';
import { startServer } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';
import { actorModule } from './actor-server.ts';

test('start calls actors, of its own thread as well; stop calls those that there are, and hears when there are none', async (t) => {
  const signals = new Signals(randomUUID());
  setEnvironmentData('sluice-lifespan', signals.name);
  t.teardown(() => {
    setEnvironmentData('sluice-lifespan', undefined as never);
    signals.close();
  });
  const module = actorModule('lifespan');
  const threads = { min: 1, max: 1 };
  const { origin, server, log } = await startServer(t, {
    pools: { web: { application: module, threads }, both: { application: module, module, threads } },
    actors: { counter: { pool: 'both', export: 'Counter', kind: 'keyed' } },
  });
  for (const pool of ['web', 'both']) {
    t.is(await (await fetch(`${origin}/${pool}/`)).text(), '1');
  }

  const moved = signals.until('both stops: both-2');
  const both = server.parts.pools.find(({ name }) => name === 'both');
  for (const thread of [...(both?.threads ?? [])]) await both?.renewal.replaceThread(thread);
  await moved;
  // The new thread's start came before the old one left.
  t.is(await (await fetch(`${origin}/both/`)).text(), '2');

  const last = [signals.until('web stops: both-2'), signals.until('both stops: SLUICE_ACTOR_STOPPED')];
  await server.drain();
  await Promise.all(last);
  t.is(log.find('drain deadline reached: applications that have not stopped are ended'), undefined);
});
