/**
 * Reads files of TLS while the server serves: in a thread that is started for it. The reactor's own thread must not wait for a disk,
 * and libuv's threads may all be taken by what applications do.
 */
import { Worker } from 'node:worker_threads';
import { threadFlags } from '../server/thread-flags.ts';
import type { ReadFile } from './files.ts';
import { reasonOf } from './problems.ts';
import type { FileOutcome } from './reading-thread.ts';

const here = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const readingThread = new URL(`./reading-thread${here.slice(here.lastIndexOf('.'))}`, here);

export class FileReader {
  readonly #module: URL;
  /** One at a time, so that a disk that hangs costs one thread and not one for each reload. */
  #thread: Worker | null = null;

  /** @param module what runs in the thread; it is given the paths, and posts a `FileOutcome` for each */
  constructor(module: URL = readingThread) {
    this.#module = module;
  }

  /**
   * Never rejects: what is wrong with a file is thrown when it is asked for.
   * @param giveUp a disk that hangs must not hold up the next reload for good
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

  /** Resolves with what is to be said of files without an outcome. */
  #run(paths: readonly string[], outcomes: Map<string, FileOutcome>, giveUp: AbortSignal): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    let thread: Worker;
    try {
      thread = new Worker(this.#module, { ...threadFlags(), workerData: paths });
    } catch (error) {
      // The system has no thread left for it.
      return Promise.resolve(noThread(error));
    }
    this.#thread = thread;
    const leave = () => {
      // It ends when its disk answers.
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
