/** Threads that are ended whatever they do: native code and the system's calls are not interrupted, so that some still run. */
import type { Worker } from 'node:worker_threads';
import type { Incarnation } from './incarnation.ts';
import { endWhatItWaitsFor } from './waited-for-children.ts';

export class ForcedEnds {
  readonly #unended = new Set<Worker>();
  readonly #onChildrenEnded: (thread: string, processIds: readonly number[]) => void;

  /** @param onChildrenEnded hears of processes that a thread waited for, and that were ended with it */
  constructor(onChildrenEnded: (thread: string, processIds: readonly number[]) => void) {
    this.#onChildrenEnded = onChildrenEnded;
  }

  /** Threads that were told to end, and have not. */
  get unended(): number {
    return this.#unended.size;
  }

  /** Ends a thread, whatever it waits for. */
  end(incarnation: Incarnation, error: Error): void {
    const { thread } = incarnation;
    const { worker } = incarnation;
    incarnation.abort(error);
    if (worker === null) return;
    this.#unended.add(worker);
    worker.once('exit', () => this.#unended.delete(worker));
    endWhatItWaitsFor(worker, thread.vitals.osThreadId, (processIds) =>
      this.#onChildrenEnded(thread.name, processIds),
    );
  }
}
