/** The end of a pool that no route leads to any more: what it has been given finishes, for as long as it may. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '../pools/pool.ts';
import { RunningTimer } from '../pools/running-timer.ts';

/** How often a pool that is to end is asked whether it still has work. */
const LOOK_MS = 50;
/** For what has been reset to leave the threads, and for their applications to stop. */
const LAST_WORDS_MS = 500;

/** Resolves when its threads have ended. */
export async function retirePool(pool: Pool, drainTimeoutMs: number): Promise<void> {
  const late = Promise.withResolvers<'late'>();
  let isLate = false;
  const deadline = new RunningTimer(drainTimeoutMs, () => {
    isLate = true;
    late.resolve('late');
  });
  pool.announceDrain();
  // A drain refuses what waits for a thread, which is to be run first.
  while (pool.dispatcher.outstandingJobs > 0 && !isLate) await delay(LOOK_MS);
  const drained = pool.drain().then(() => 'drained' as const);
  const outcome = await Promise.race([drained, late.promise]);
  deadline.cancel();
  if (outcome === 'late') {
    for (const thread of pool.threads) thread.expire();
    await Promise.race([drained, delay(LAST_WORDS_MS)]);
  }
  await pool.destroy();
}
