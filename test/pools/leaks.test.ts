/** What a pool's threads leave behind when they are gone: nothing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { startPool } from './start-pool.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const RING_BYTES = 4_194_304;
/** msgpackr holds on to the ring that it has read last, and a claim table is small: less than the two rings of one thread. */
const MOST_KEPT_BYTES = 1.5 * RING_BYTES;

/** Bytes of array buffers, shared ones included, when all that is unreachable has been collected. */
function keptBytes(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

/** Threads and ports end in turns of their own. What is kept for good is met by the test's deadline. */
async function untilKept(atMost: number): Promise<void> {
  while (keptBytes() > atMost) await new Promise((resolve) => setImmediate(resolve));
}

test.serial('the rings of threads that died are given back', async (t) => {
  const deaths = 8;
  const { pool, submit, heard } = startPool(t, 'scripted', {
    ringBytes: RING_BYTES,
    restart: { intensity: deaths, periodMs: 600_000, delayMs: 1, maxDelayMs: 1, giveUp: false },
  });
  await pool.start();
  const before = keptBytes();
  for (let death = 1; death <= deaths; death++) {
    const [job] = submit('exit');
    await job!.over.promise;
    await heard('started', death + 1);
  }
  await untilKept(before + MOST_KEPT_BYTES);
  t.pass();
});

test.serial('the rings of threads that were not needed any more are given back', async (t) => {
  const bursts = 8;
  const { pool, submit, heard, reactor } = startPool(t, 'scripted', {
    ringBytes: RING_BYTES,
    maxThreads: 2,
    slotsPerThread: 1,
    idleTimeoutMs: 0,
  });
  await pool.start();
  const before = keptBytes();
  for (let burst = 1; burst <= bursts; burst++) {
    const jobs = submit('a', 'b', 'c');
    await heard('started', burst + 1);
    await Promise.all(jobs.map((job) => job.over.promise));
    while (pool.threadCount > 1) {
      reactor.tick();
      pool.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await untilKept(before + MOST_KEPT_BYTES);
  t.pass();
});
