/**
 * Ends the process if one case takes too long. An endless loop blocks its thread, so the watchdog runs in
 * another.
 */
import { Worker } from 'node:worker_threads';

/** Words of the shared memory: the case's number in this run, 0 for none; its target; its seed. */
export const CASE = 0;
export const TARGET = 1;
export const SEED = 2;

export class Watchdog implements AsyncDisposable {
  readonly #words = new Int32Array(new SharedArrayBuffer(12));
  readonly #worker: Worker;
  readonly #names: readonly string[];
  #count = 0;

  /**
   * @param names are the names of all targets. @param limitMs is more than any case takes on the slowest
   * machine.
   */
  constructor(names: readonly string[], limitMs = 30_000) {
    this.#names = names;
    this.#worker = new Worker(new URL('watchdog-thread.ts', import.meta.url), {
      workerData: { words: this.#words, limitMs, names },
    });
    this.#worker.unref();
  }

  begin(name: string, seed: number): void {
    Atomics.store(this.#words, TARGET, this.#names.indexOf(name));
    Atomics.store(this.#words, SEED, seed | 0);
    Atomics.store(this.#words, CASE, ++this.#count);
  }

  /** The command that repeats the current case. */
  get replay(): string {
    return replayOf(
      this.#names[this.#words[TARGET] as number] as string,
      (this.#words[SEED] as number) >>> 0,
    );
  }

  end(): void {
    Atomics.store(this.#words, CASE, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

export function replayOf(name: string, seed: number): string {
  return `npm run fuzz -- --target ${name} --seed ${seed} --cases 1`;
}
