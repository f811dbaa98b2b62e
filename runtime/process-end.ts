/**
 * The end of the process, whatever its threads wait for.
 *
 * `process.exit` joins every thread, those of workers and those of libuv, and so does `process.reallyExit`. One thread that waits in
 * the kernel (for a pipe that nobody writes to, for a file system that hangs) keeps it from ever returning, with the signal
 * handlers still in place. Two things end such a process all the same: SIGKILL, which leaves no exit code, and `execve`, by which all
 * its other threads end at once and the program that takes its place can exit with the code that was meant.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';

const POLL_MS = 10;

/** What of the main thread may wait for a thread of libuv's. Node does not tell of hashing and compression, which end by themselves. */
const REQUESTS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'GetNameInfoReqWrap',
]);

/** What `process.exit` would wait for. */
export class Unended {
  readonly #threads = new Set<Worker>();

  /** Sees the threads that are started from now on. */
  constructor() {
    process.on('worker', (thread) => {
      this.#threads.add(thread);
      // A worker ends when all that it handed to libuv is done.
      thread.once('exit', () => this.#threads.delete(thread));
    });
  }

  /** Waits until there is nothing, or for the time given. The number of threads, and of requests, that there still are. */
  async within(limitMs: number): Promise<{ readonly threads: number; readonly requests: number }> {
    const giveUpMs = performance.now() + limitMs;
    for (;;) {
      const threads = this.#threads.size;
      const requests = process.getActiveResourcesInfo().filter((name) => REQUESTS.has(name)).length;
      if ((threads === 0 && requests === 0) || performance.now() >= giveUpMs) return { threads, requests };
      await delay(POLL_MS);
    }
  }
}

/** Ends the process without its threads. Without `execve` (Windows, a system that forbids it) the exit code is that of SIGKILL. */
export function endWithoutThreads(exitCode: number): void {
  // What is to be loaded or written for every Node (NODE_OPTIONS) is not meant for this one.
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_'));
  try {
    process.execve?.(
      process.execPath,
      [process.execPath, '--eval', `process.exit(${exitCode})`],
      Object.fromEntries(environment),
    );
  } catch {
    // It is forbidden, by Node's permission model or by the system: the signal is left.
  }
  process.kill(process.pid, 'SIGKILL');
}
