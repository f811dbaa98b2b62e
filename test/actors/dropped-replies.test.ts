/** Replies that find nobody are counted, each once, whichever way they go. */
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { actorStatuses } from '../../runtime/actors/status.ts';
import type { TestThread } from '../../runtime/testing/hosts.ts';
import { type Pair, type PairOptions, startPair } from './direct/pair.ts';

let held = Promise.withResolvers<void>();

class Worker {
  readonly key: string;

  constructor(key: string, _context: object) {
    this.key = key;
  }

  async hold(): Promise<string> {
    await held.promise;
    return 'done';
  }

  async fails(): Promise<never> {
    await held.promise;
    throw new Error('as it should');
  }

  computes(): number {
    return 1;
  }

  async *count(): AsyncGenerator<number> {
    yield 1;
    yield 2;
  }
}

test.beforeEach(() => {
  held = Promise.withResolvers();
});

async function begin(t: ExecutionContext, options: PairOptions) {
  const pair = await startPair(t, { worker: { class: Worker, pool: 'host' } }, options);
  const worker = pair.handle<typeof Worker>('worker').of('k');
  // Then it goes directly, if it may.
  for (let n = 0; n < 4; n++) {
    await worker.computes();
    await pair.settle();
  }
  t.is(pair.directory.direct.conversations, options.maxChannels === 0 ? 0 : 1);
  return { pair, worker };
}

/** By thread, and of all. */
function dropped({ directory }: Pair): { readonly total?: number; readonly threads?: number[] } {
  const [actor] = actorStatuses(directory);
  const ofPool = actor?.threads.map((thread) => thread.dropped);
  return { total: actor?.total.dropped, threads: ofPool };
}

for (const [way, options] of [
  ['by way of the reactor', { maxChannels: 0 }],
  ['over a direct channel', {}],
] as const) {
  test.serial(`a reply whose caller has given up is counted, ${way}`, async (t) => {
    const { pair, worker } = await begin(t, options);
    const controller = new AbortController();
    const aborted = t.throwsAsync(worker.hold({ signal: controller.signal }), {
      code: 'SLUICE_ACTOR_ABORTED',
    });
    await pair.settle();
    controller.abort();
    await aborted;
    await pair.settle();
    t.deepEqual(dropped(pair), { total: 0, threads: [0] }, 'it has not replied');
    held.resolve();
    await pair.settle();
    t.deepEqual(dropped(pair), { total: 1, threads: [1] });

    held = Promise.withResolvers();
    const late = t.throwsAsync(worker.fails(), { code: 'SLUICE_ACTOR_DEADLINE' });
    await pair.pass(1_000);
    await late;
    held.resolve();
    await pair.settle();
    t.deepEqual(dropped(pair), { total: 2, threads: [2] }, 'an error is a reply');
    await worker.computes();
    t.deepEqual(dropped(pair), { total: 2, threads: [2] });
  });

  test.serial(`a reply that crosses with its end is counted, ${way}`, async (t) => {
    const { pair, worker } = await begin(t, options);
    const controller = new AbortController();
    const aborted = t.throwsAsync(worker.hold({ signal: controller.signal }), {
      code: 'SLUICE_ACTOR_ABORTED',
    });
    await pair.settle();
    const host = pair.hosts.get('host') as TestThread;
    // It computes, so it hears of it when its method has ended.
    pair.hold(host);
    controller.abort();
    await aborted;
    await pair.settle();
    held.resolve();
    await pair.settle();
    pair.release(host);
    await pair.settle();
    t.deepEqual(dropped(pair), { total: 1, threads: [1] });
    for (let n = 0; n < 4; n++) await worker.computes();
    await pair.settle();
    t.deepEqual(dropped(pair), { total: 1, threads: [1] });
  });

  test.serial(
    `a reply whose caller is gone is counted, and stays so when its thread is, ${way}`,
    async (t) => {
      const { pair, worker } = await begin(t, options);
      void worker.hold().catch(() => undefined);
      await pair.settle();
      pair.callers[0]?.die();
      // A channel that has ended stays as long as the method runs, so nothing settles: long enough for the thread to hear of it.
      for (let n = 0; n < 100; n++) await setImmediate();
      held.resolve();
      await pair.settle();
      t.deepEqual(dropped(pair), { total: 1, threads: [1] });
      pair.hosts.get('host')?.die();
      await pair.settle();
      t.deepEqual(dropped(pair), { total: 1, threads: [] });
    },
  );

  test.serial(
    `nobody waits for a tell, a reader may leave its stream, and what did not begin has no reply, ${way}`,
    async (t) => {
      const { pair, worker } = await begin(t, options);
      await worker.tell.computes();
      for await (const _ of worker.count()) break;
      await pair.settle();
      const first = worker.hold();
      const waits = t.throwsAsync(worker.computes({ deadlineMs: 100 }), { code: 'SLUICE_ACTOR_DEADLINE' });
      await pair.pass(100);
      await waits;
      held.resolve();
      t.is(await first, 'done');
      t.deepEqual(dropped(pair), { total: 0, threads: [0] });
    },
  );
}
