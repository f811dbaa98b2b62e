/** Threads that make no progress for a reason outside of their code. They must not count as hung. */
import { url as inspectorUrl } from 'node:inspector';
import type { Thread } from './thread.ts';

export class ExcusedThreads {
  readonly #threads = new Set<Thread>();

  /** The thread makes no progress until `work` is done, as during a snapshot of its heap. */
  async during<Result>(thread: Thread, work: () => Promise<Result>): Promise<Result> {
    this.#threads.add(thread);
    try {
      return await work();
    } finally {
      this.#threads.delete(thread);
    }
  }

  /** While a debugger is attached, a thread that it has paused cannot be told from one that hangs. */
  has(thread: Thread): boolean {
    return this.#threads.has(thread) || inspectorUrl() !== undefined;
  }
}
