/**
 * Runs the second half of a two-sided program in a thread of its own, one shared access at a time. Before
 * each access the thread parks, and the test decides when it continues. The code under test is real; only the
 * seam for atomics is replaced.
 */

import { Worker } from 'node:worker_threads';
import type { AtomicWords } from '../../../wire/atomics.ts';
import { hardwareAtomics } from '../../../wire/atomics.ts';

/** Words of the control memory. */
export const STATE = 0;
export const PROGRAM = 1;
/** What a program reports: `Report` words. */
export const REPORT = 2;
export const REPORT_WORDS = 62;
const CONTROL_BYTES = 256;

export const PeerState = { Idle: 0, Go: 1, Parked: 2, Done: 3, Failed: 4 } as const;

export class Peer {
  readonly memory: readonly SharedArrayBuffer[];
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
  readonly #worker: Worker;

  constructor(memory: readonly SharedArrayBuffer[]) {
    this.memory = memory;
    this.#worker = new Worker(new URL('peer-thread.ts', import.meta.url), {
      workerData: { control: this.#control, memory },
    });
  }

  /** Sets the program up and runs it to its first shared access. */
  start(program: number): void {
    this.#control.fill(0, PROGRAM);
    this.#control[PROGRAM] = program;
    this.#go();
  }

  get isDone(): boolean {
    return Atomics.load(this.#control, STATE) === PeerState.Done;
  }

  /** Performs one shared access and runs on to the next. */
  step(): void {
    this.#go();
  }

  report(index: number): number {
    return this.#control[REPORT + index];
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #go(): void {
    Atomics.store(this.#control, STATE, PeerState.Go);
    Atomics.notify(this.#control, STATE);
    while (Atomics.load(this.#control, STATE) === PeerState.Go)
      Atomics.wait(this.#control, STATE, PeerState.Go);
    if (Atomics.load(this.#control, STATE) === PeerState.Failed) throw new Error('the peer program threw');
  }
}

/** Atomics that call `before` before each access. */
export function stepped(before: () => void): AtomicWords {
  return {
    load(words, index) {
      before();
      return hardwareAtomics.load(words, index);
    },
    store(words, index, value) {
      before();
      hardwareAtomics.store(words, index, value);
    },
    replace(words, index, expected, next) {
      before();
      return hardwareAtomics.replace(words, index, expected, next);
    },
  };
}
