/**
 * A watchdog over a server in the test's own process. While the reactor sleeps, and a thread as well, nothing may be waiting that
 * one of the two could send: what does waits for ever, on an idle machine, until something unrelated happens by. A test would
 * see its client wait and in the end its own deadline pass; this says at once who waits.
 */
import type { Pool } from '../../runtime/pools/pool.ts';
import type { Thread } from '../../runtime/pools/thread.ts';
import type { Server } from '../../runtime/server/server.ts';

const LOOK_EVERY_MS = 50;

/**
 * What stands still, a line for each; not to be called from within a turn of the reactor. Resolves when every thread has
 * answered that can, and so not at all while one computes, or when one dies before it answers.
 */
export async function findStalls(server: Server): Promise<string[]> {
  const { reactor, connections, pools } = server.parts;
  if (!reactor.isAsleep) return [];
  const stalls: string[] = [];
  for (const { isUnsent } of connections) {
    if (isUnsent) stalls.push('a connection has output that nothing holds back, and the reactor sleeps');
  }
  const answers: Promise<void>[] = [];
  for (const pool of pools) {
    for (const thread of pool.threads) {
      const { stalledJobs } = thread;
      if (stalledJobs > 0)
        stalls.push(`thread ${thread.name}: ${stalledJobs} jobs wait for room, and both sides sleep`);
      else if (thread.state === 'ready' || thread.state === 'draining')
        answers.push(ask(pool, thread, stalls));
    }
  }
  if (stalls.length === 0) await Promise.all(answers);
  return stalls;
}

/** Threads that have been asked and have not answered: they compute, or are dead. */
const asked = new WeakSet<Thread>();

async function ask(pool: Pool, thread: Thread, stalls: string[]): Promise<void> {
  if (asked.has(thread)) return;
  asked.add(thread);
  // It may end before it answers, which is its own matter.
  const stats = await pool.statsOf(thread).catch(() => null);
  asked.delete(thread);
  const stalled = stats?.stalledExchanges ?? 0;
  if (stalled > 0)
    stalls.push(`thread ${thread.name}: ${stalled} exchanges wait for room, and both sides sleep`);
}

/**
 * Looks now and then; a stall is still there at the next look.
 * @param onStall what to do about one; default: an uncaught exception, which fails the test file
 * @returns what ends the watch
 */
export function watchForStalls(server: Server, onStall: (what: string) => void = fail): () => void {
  let isWatching = true;
  const look = async (): Promise<void> => {
    const [stall] = await findStalls(server);
    if (stall === undefined || !isWatching) return;
    stop();
    onStall(stall);
  };
  // Not one look after the other: a thread that computes, or has died, would hold up those at all others. It is asked once.
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  const stop = (): void => {
    isWatching = false;
    clearInterval(timer);
  };
  return stop;
}

function fail(what: string): void {
  setImmediate(() => {
    throw new Error(`the server stands still: ${what}`);
  });
}
