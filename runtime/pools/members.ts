/** The threads of a pool, each as its incarnation, and sums over the threads that have ended. */
import type { Incarnation } from './incarnation.ts';
import type { Job } from './job.ts';
import { Tally } from './tally.ts';
import type { Thread } from './thread.ts';
import { ThreadCosts } from './thread-costs.ts';

export class Members {
  readonly #incarnations = new Map<Thread, Incarnation>();
  /** Sums over threads that have ended. */
  readonly #pastTally = new Tally();
  readonly #pastCosts = new ThreadCosts();
  #started = 0;
  #empty: PromiseWithResolvers<void> | null = null;

  get threads(): Iterable<Thread> {
    return this.#incarnations.keys();
  }

  get incarnations(): Iterable<Incarnation> {
    return this.#incarnations.values();
  }

  get size(): number {
    return this.#incarnations.size;
  }

  /** Threads that have been added, since the start. */
  get started(): number {
    return this.#started;
  }

  /** Undefined: the thread has ended. */
  of(thread: Thread): Incarnation | undefined {
    return this.#incarnations.get(thread);
  }

  add(incarnation: Incarnation): void {
    this.#started++;
    this.#incarnations.set(incarnation.thread, incarnation);
  }

  /** Removes a thread that has ended. @returns the jobs that it had not begun, oldest first */
  remove(thread: Thread): Job[] {
    this.#incarnations.delete(thread);
    if (this.#incarnations.size === 0) this.#empty?.resolve();
    const unbegun = thread.die();
    this.#pastTally.add(thread.tally);
    this.#pastCosts.add(thread);
    return unbegun;
  }

  /** Resolves when there is no thread. */
  async empty(): Promise<void> {
    if (this.#incarnations.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Sums over all threads, including ended ones. */
  get tally(): Tally {
    const all = new Tally();
    all.add(this.#pastTally);
    for (const { tally } of this.#incarnations.keys()) all.add(tally);
    return all;
  }

  /** Of all threads, those that are gone included. */
  get costs(): ThreadCosts {
    const all = new ThreadCosts();
    all.addAll(this.#pastCosts);
    for (const thread of this.#incarnations.keys()) all.add(thread);
    return all;
  }

  /** Threads that have not been replaced. */
  get unretired(): number {
    let count = 0;
    for (const { isRetired } of this.#incarnations.values()) if (!isRetired) count++;
    return count;
  }

  /**
   * Threads that run beside the threads that they will replace. They are additional until it has been decided
   * which of the two stays.
   */
  get additional(): number {
    let count = 0;
    for (const { replaces, isRetired } of this.#incarnations.values()) {
      if (isRetired || replaces === null || replaces.thread.state === 'draining') continue;
      if (this.#incarnations.has(replaces.thread)) count++;
    }
    return count;
  }

  get draining(): number {
    let draining = 0;
    for (const thread of this.#incarnations.keys()) if (thread.state === 'draining') draining++;
    return draining;
  }

  /** A thread has not loaded its application yet. */
  get isStarting(): boolean {
    for (const thread of this.#incarnations.keys()) if (thread.state === 'starting') return true;
    return false;
  }
}
