/** Ends a pool that no route leads to any more, after its exchanges have finished or the time for them is over. */
import { setTimeout as delay } from 'node:timers/promises';
import { RunningTimer } from '../../wire/running-timer.ts';
import type { Pool } from '../pools/pool.ts';

/** How often a pool that is to end is checked for work. */
const LOOK_MS = 50;
/** Time for resets to leave the threads and for applications to stop, after the deadline. */
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
  // `drain` would refuse exchanges that wait for a thread; they run first.
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
