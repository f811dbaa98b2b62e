/** Reloads and other numbers of threads under ten callers: no gap, one instance of a key at a time, and each caller's order. */
import { setEnvironmentData } from 'node:worker_threads';
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { configInput } from '../server/harness.ts';
import { actorModule, actorServerInput, startActorServer } from './actor-server.ts';
import { bookOf, CALLERS, KEYS, openBook } from './book.ts';

/** Threads of the actors, one reload after another. */
const SIZES = [3, 1, 2];
/** Messages of a caller for one key in one go. */
const AT_ONCE = 3;

test('reloads and resizes under keyed load of ten callers: no gap, no two instances of a key, and the order of each caller', async (t) => {
  t.timeout(600_000);
  const memory = openBook();
  setEnvironmentData('sluice-book', memory as never);
  t.teardown(() => setEnvironmentData('sluice-book', undefined as never));
  const book = bookOf(memory);
  const input = (state: number) => ({
    actors: {
      keys: {
        pool: 'state',
        export: 'Booked',
        kind: 'keyed',
        deadlineMs: 300_000,
        mailboxMessages: 1_000,
      } as const,
    },
    module: actorModule('booked'),
    callers: 2,
    state,
    tasks: 1,
    pool: { minUptimeMs: 0, queue: { maxWaitMs: 300_000 } },
    rest: { reload: { drainTimeoutMs: 300_000 } },
  });
  const { ask, server } = await startActorServer(t, input(2));
  let isOver = false;
  const counted = Array.from({ length: KEYS }, () => new Set<number>());
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    const sequences = new Array<number>(KEYS).fill(0);
    while (!isOver) {
      const asked = Array.from({ length: KEYS * AT_ONCE }, (_message, index) => {
        const key = index % KEYS;
        sequences[key] = (sequences[key] ?? 0) + 1;
        return { actor: 'keys', key: `${key}`, method: 'record', args: [caller, sequences[key]] };
      });
      for (const [index, { value, error }] of (await ask(...asked)).entries()) {
        t.is(error, undefined);
        const counts = counted[index % KEYS] as Set<number>;
        if (counts.has(value as number)) t.fail(`key ${index % KEYS} has counted ${value} twice`);
        counts.add(value as number);
      }
    }
    return sequences;
  });
  for (const state of SIZES) {
    const config = parseConfig(
      JSON.stringify(configInput(actorServerInput(input(state)))),
      'test.config.json',
    );
    await server.reload(config);
    await server.reloadSettled();
  }
  isOver = true;
  const sent = await Promise.all(callers);
  for (let key = 0; key < KEYS; key++) {
    const all = sent.reduce((sum, sequences) => sum + (sequences[key] ?? 0), 0);
    t.is(book.counts[key], all, `key ${key}`);
    t.is(counted[key]?.size, all, `key ${key}`);
  }
  t.deepEqual([...book.faults], [0, 0, 0], 'at once, out of order, stopped while it runs');
  t.true(Math.max(...book.instances) <= 1);
  t.is(server.parts.actors?.openMessages, 0);
});
