/**
 * Threads that are ended whatever they do. Some of them still run: native code and system calls are not
 * interrupted, and V8 cannot end a thread everywhere.
 */
import type { Worker } from 'node:worker_threads';
import { HungThreadError } from './hung-threads.ts';
import type { Incarnation } from './incarnation.ts';
import { endWhatItWaitsFor } from './waited-for-children.ts';

export interface ForcedEndsOwner {
  /** Child processes that were ended because an ended thread waited for them. */
  onChildrenEnded(thread: string, processIds: readonly number[]): void;
  /** A thread that was told to end and still ran has ended. */
  onEnd(): void;
}

export class ForcedEnds {
  readonly #unended = new Set<Worker>();
  readonly #owner: ForcedEndsOwner;

  constructor(owner: ForcedEndsOwner) {
    this.#owner = owner;
  }

  /** Threads that were told to end and still run. */
  get unended(): number {
    return this.#unended.size;
  }

  /** Ends a thread, whatever it waits for. */
  end(incarnation: Incarnation, error: Error): void {
    const { thread } = incarnation;
    const { worker } = incarnation;
    incarnation.abort(error, error instanceof HungThreadError);
    if (worker === null) return;
    this.watch(worker);
    endWhatItWaitsFor(worker, thread.vitals.osThreadId, (processIds) =>
      this.#owner.onChildrenEnded(thread.name, processIds),
    );
  }

  /** Watches a thread that was told to end. @param worker null: it has ended already */
  watch(worker: Worker | null): void {
    if (worker === null || this.#unended.has(worker)) return;
    this.#unended.add(worker);
    worker.once('exit', () => {
      this.#unended.delete(worker);
      this.#owner.onEnd();
    });
  }
}
