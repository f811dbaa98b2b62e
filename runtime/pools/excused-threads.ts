/** Threads that stand still for a reason that is not their own. Nobody may take them for hung. */
import { url as inspectorUrl } from 'node:inspector';
import type { Thread } from './thread.ts';

export class ExcusedThreads {
  readonly #threads = new Set<Thread>();

  /** The thread stands still until `work` is done, as it does for a snapshot of its heap. */
  async during<Result>(thread: Thread, work: () => Promise<Result>): Promise<Result> {
    this.#threads.add(thread);
    try {
      return await work();
    } finally {
      this.#threads.delete(thread);
    }
  }

  /** While a debugger is attached, nobody can tell a thread that it has paused from one that hangs. */
  has(thread: Thread): boolean {
    return this.#threads.has(thread) || inspectorUrl() !== undefined;
  }
}
