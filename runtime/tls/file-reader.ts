/**
 * Reads TLS files while the server runs, in a thread that is started for it. The reactor's own thread must
 * not wait for a disk, and applications may occupy all of libuv's threads.
 */
import { Worker } from 'node:worker_threads';
import { threadFlags } from '../server/thread-flags.ts';
import type { ReadFile } from './files.ts';
import { reasonOf } from './problems.ts';
import type { FileOutcome } from './reading-thread.ts';

const here = import.meta.url;
/** The modules are TypeScript in the source tree and JavaScript in the published package. */
const readingThread = new URL(`./reading-thread${here.slice(here.lastIndexOf('.'))}`, here);

export class FileReader {
  readonly #module: URL;
  /** One thread at a time, so that a disk that hangs costs one thread and not one per reload. */
  #thread: Worker | null = null;

  /** @param module the thread's module; it gets the paths, and posts a `FileOutcome` for each */
  constructor(module: URL = readingThread) {
    this.#module = module;
  }

  /**
   * Never rejects. If a file could not be read, `ReadFile` throws when the file is asked for.
   * @param giveUp ends the wait: a disk that hangs must not block the next reload for good
   */
  async read(paths: readonly string[], giveUp: AbortSignal): Promise<ReadFile> {
    const outcomes = new Map<string, FileOutcome>();
    const failure =
      this.#thread === null
        ? await this.#run(paths, outcomes, giveUp)
        : 'it was not read, as the reading before still waits for its disk';
    return (path) => {
      const outcome = outcomes.get(path);
      if (outcome === undefined) throw new Error(failure);
      if (outcome.bytes === null) throw new Error(outcome.reason);
      return Buffer.from(outcome.bytes);
    };
  }

  /** Resolves with the reason why files without an outcome were not read. */
  #run(paths: readonly string[], outcomes: Map<string, FileOutcome>, giveUp: AbortSignal): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    let thread: Worker;
    try {
      thread = new Worker(this.#module, { ...threadFlags(), workerData: paths });
    } catch (error) {
      // The system could not start another thread.
      return Promise.resolve(noThread(error));
    }
    this.#thread = thread;
    const leave = () => {
      // The thread ends when the disk responds.
      thread.unref();
      void thread.terminate();
      resolve('it was not read in time');
    };
    giveUp.addEventListener('abort', leave);
    thread.on('message', (outcome: FileOutcome) => outcomes.set(outcome.path, outcome));
    thread.on('error', (error) => resolve(noThread(error)));
    thread.on('exit', () => {
      this.#thread = null;
      giveUp.removeEventListener('abort', leave);
      resolve('it was not read');
    });
    return promise;
  }
}

function noThread(error: unknown): string {
  return `no thread could read it: ${reasonOf(error)}`;
}
