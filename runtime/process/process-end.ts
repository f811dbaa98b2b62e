/**
 * Ends the process, whatever its threads wait for.
 *
 * `process.exit` joins every thread, those of workers and those of libuv, and so does `process.reallyExit`. One thread that waits in the
 * kernel (for a pipe without a writer, for a hanging file system) keeps it from ever returning, while the signal handlers stay in place.
 * Two things still end such a process: SIGKILL, which leaves no exit code, and `execve`, which ends all other threads at once and starts
 * another program in the same process. That program can exit with the intended code.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { removeSockets } from '../control/at-exit.ts';
import { flushLog, type Log, type LogOutput } from '../logging/log.ts';

const POLL_MS = 10;
/** How long to wait for threads that have been told to end. Many threads on a busy machine need a while. */
const THREADS_END_MS = 3_000;

/** Resources of the main thread that may wait for a libuv thread. Node does not report hashing and compression, which end by themselves. */
const REQUESTS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'GetNameInfoReqWrap',
]);

/** Threads and requests that `process.exit` would wait for. */
export class Unended {
  readonly #threads = new Set<Worker>();

  /**
   * Tracks threads that start from now on.
   * @param mayStay whether a thread may still run when the process ends
   */
  constructor(mayStay: (thread: Worker) => boolean = () => false) {
    process.on('worker', (thread) => {
      if (mayStay(thread)) return;
      this.#threads.add(thread);
      // A worker ends only when libuv has finished its work.
      thread.once('exit', () => this.#threads.delete(thread));
    });
  }

  /** Waits until nothing is left, or for the given time. @returns how many threads and requests are left */
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

/**
 * Resolves when the process may exit: the log is written, and no thread would block `process.exit`. If one would, this function ends the process
 * itself.
 */
export async function untilExit(
  unended: Unended,
  log: Log,
  { file }: LogOutput,
  exitCode: number,
): Promise<void> {
  const left = await unended.within(THREADS_END_MS);
  const isStuck = left.threads > 0 || left.requests > 0;
  if (isStuck) log.warn(left, 'threads did not end in time: the process ends without them');
  await flushLog(log);
  if (isStuck || file?.isBusy === true) endWithoutThreads(exitCode);
}

/**
 * Ends the process on an uncaught error of the main thread. Node would do so too, but it would report the error only on standard error and then
 * wait for threads that may never end.
 */
export function endOnUncaughtError(log: Log, exitCode: number): void {
  let isEnding = false;
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught internal error: the process ends');
    if (isEnding) return;
    isEnding = true;
    void flushLog(log).then(() => endWithoutThreads(exitCode));
  });
}

/** Ends the process without its threads. Without `execve` (Windows, a system that forbids it) the exit code is that of SIGKILL. */
export function endWithoutThreads(exitCode: number): void {
  // Neither way emits 'exit', where `at-exit.ts` would remove them.
  removeSockets();
  // Modules and reports that NODE_OPTIONS asks every Node process for are not meant for this one.
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_'));
  try {
    process.execve?.(
      process.execPath,
      [process.execPath, '--eval', `process.exit(${exitCode})`],
      Object.fromEntries(environment),
    );
  } catch {
    // Node's permission model or the system forbids it; the signal remains.
  }
  process.kill(process.pid, 'SIGKILL');
}
