/**
 * Which thread a job is given to: the one that its affinity selects, or else the one that is expected to begin it first.
 */
import { NO_ROOM } from './backlog.ts';
import type { Job } from './job.ts';
import { rendezvousScore } from './rendezvous.ts';
import type { Thread } from './thread.ts';
import type { Turns } from './turns.ts';

/**
 * A thread gets no more jobs because of their affinity once it has this multiple of its fair share of all
 * jobs.
 */
const FAIR_SHARE = 1.25;

/** What placement needs from the dispatcher. */
export interface PlacementOwner {
  /** A thread is stalled when it has done nothing for `recallAfterMs`. */
  readonly options: { readonly recallAfterMs: number };
}

export class Placement {
  readonly #threads: readonly Thread[];
  readonly #turns: Turns;
  readonly #owner: PlacementOwner;

  /** @param threads those that take jobs; the list changes */
  constructor(threads: readonly Thread[], turns: Turns, owner: PlacementOwner) {
    this.#threads = threads;
    this.#turns = turns;
    this.#owner = owner;
  }

  /** Gives the job to a thread. @returns false: no thread takes it now */
  assign(job: Job): boolean {
    const first = this.#pickByAffinity(job) ?? this.#pick();
    if (first === null) return false;
    if (first.assign(job)) return true;
    // Only the ring of that thread is full. Other threads may have room.
    for (const thread of this.#threads)
      if (thread !== first && thread.hasRoom && thread.assign(job)) return true;
    return false;
  }

  get #stalledSinceMs(): number {
    return this.#turns.nowMs - this.#owner.options.recallAfterMs;
  }

  /**
   * The thread that is expected to begin a job first. Between threads with the same expectation, the one with
   * the least load. A stalled thread is given nothing unless it is the only thread, because the job would
   * have to be taken back.
   */
  #pick(): Thread | null {
    const stalledSinceMs = this.#stalledSinceMs;
    let best: Thread | null = null;
    let leastUs = NO_ROOM - 1;
    let stalled = 0;
    for (const thread of this.#threads) {
      const waitUs = thread.expectedWaitUs();
      if (waitUs > leastUs) continue;
      if (this.#threads.length > 1 && thread.isStalled(stalledSinceMs)) {
        stalled++;
        continue;
      }
      if (best !== null && waitUs === leastUs && !hasLessWork(thread, best)) continue;
      best = thread;
      leastUs = waitUs;
    }
    return best === null && stalled > 0 ? this.#awaitStalled(stalledSinceMs) : best;
  }

  /**
   * A stalled thread with nothing to answer is silent when it comes back, unless `holdBack` has asked it to
   * report. It may have returned to its event loop before it could see that request, so the threads are
   * asked once more.
   */
  #awaitStalled(stalledSinceMs: number): Thread | null {
    for (const thread of this.#threads) thread.holdBack();
    for (const thread of this.#threads)
      if (thread.expectedWaitUs() < NO_ROOM && !thread.isStalled(stalledSinceMs)) return thread;
    return null;
  }

  /**
   * Rendezvous hashing with bounded load. Candidates are the threads that could begin the job soon and have
   * at most 1.25 times their fair share of jobs. Of these, the job's key and the threads' names select one.
   * Null: there is none, or the job has no key.
   */
  #pickByAffinity(job: Job): Thread | null {
    if (job.lane === null || !job.lane.options.hasAffinity) return null;
    const key = job.affinityKey;
    if (key === '') return null;
    let load = 1;
    for (const thread of this.#threads) load += thread.load;
    const bound = Math.ceil((FAIR_SHARE * load) / this.#threads.length);
    const stalledSinceMs = this.#stalledSinceMs;
    let best: Thread | null = null;
    let most = -1;
    for (const thread of this.#threads) {
      if (thread.load >= bound || !thread.hasRoom || thread.isStalled(stalledSinceMs)) continue;
      const score = rendezvousScore(key, thread.name);
      if (score <= most) continue;
      best = thread;
      most = score;
    }
    return best;
  }
}

/**
 * Jobs whose response has begun count only between threads that are otherwise equal. So idle WebSockets
 * spread over all threads.
 */
function hasLessWork(one: Thread, other: Thread): boolean {
  return one.load === other.load ? one.outstanding < other.outstanding : one.load < other.load;
}
