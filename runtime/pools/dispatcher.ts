/**
 * Gives jobs to threads: to the one with the least outstanding work while any has room, else to a bounded queue.
 *
 * Threads are given jobs before they can begin them, which keeps light work flowing. `rebalance` is the
 * counterweight for heavy work: what a thread has not begun after `recallAfterMs` goes to one that sleeps. Begun and not
 * begun are told apart by the claim table, so no job runs twice.
 */
import { type Job, JobList } from './job.ts';
import type { Thread, Turns } from './thread.ts';

export interface DispatcherOptions {
  /** Jobs that may wait when every thread is full. */
  readonly maxQueuedJobs: number;
  /** A job that no thread has begun by then is refused. */
  readonly maxWaitMs: number;
  /** A job that its thread has not begun after this may move to an idle one. */
  readonly recallAfterMs: number;
}

export class Dispatcher {
  readonly threads: Thread[] = [];
  readonly #options: DispatcherOptions;
  readonly #turns: Turns;
  readonly #queue = new JobList();
  readonly #onWaiting: () => void;
  /** Jobs moved from one thread to another, ever. */
  recalledJobs = 0;
  refusedJobs = 0;

  /** `onWaiting` is called when a job has to wait although the pool could have more threads. */
  constructor(options: DispatcherOptions, turns: Turns, onWaiting: () => void) {
    this.#options = options;
    this.#turns = turns;
    this.#onWaiting = onWaiting;
  }

  get queuedJobs(): number {
    return this.#queue.size;
  }

  get outstandingJobs(): number {
    let jobs = this.#queue.size;
    for (const thread of this.threads) jobs += thread.outstanding;
    return jobs;
  }

  submit(job: Job): void {
    job.admittedAtMs = this.#turns.nowMs;
    if (this.#queue.size === 0 && this.#assign(job)) return;
    if (this.#queue.size >= this.#options.maxQueuedJobs) {
      this.#refuse(job, 'queue-full');
      return;
    }
    job.state = 'queued';
    this.#queue.push(job);
    this.#onWaiting();
  }

  #refuse(job: Job, refusal: 'queue-full' | 'waited-too-long' | 'pool-stopped'): void {
    this.refusedJobs++;
    job.state = 'released';
    job.onRefused(refusal);
  }

  /** The thread with the least outstanding work that has room, or null. */
  #pick(): Thread | null {
    let best: Thread | null = null;
    for (const thread of this.threads) {
      if (thread.hasRoom && (best === null || thread.outstanding < best.outstanding)) best = thread;
    }
    return best;
  }

  #assign(job: Job): boolean {
    const first = this.#pick();
    if (first === null) return false;
    if (first.assign(job)) return true;
    // Its ring is full, which says nothing of the others'.
    for (const thread of this.threads)
      if (thread !== first && thread.hasRoom && thread.assign(job)) return true;
    return false;
  }

  /** A thread has a free slot, or room in its ring: the queue moves on. */
  onRoom(thread: Thread): void {
    while (thread.hasRoom) {
      const job = this.#queue.head;
      if (job === null) return;
      this.#queue.remove(job);
      if (!thread.assign(job)) {
        this.#queue.unshift(job);
        return;
      }
    }
  }

  /** Withdraws a job that nobody has begun: it is nobody's afterwards. False when it is running. */
  withdraw(job: Job): boolean {
    if (job.state === 'queued') {
      this.#queue.remove(job);
      job.state = 'released';
      return true;
    }
    const thread = job.thread;
    if (thread === null || !thread.takeBack(job)) return false;
    this.onRoom(thread);
    return true;
  }

  /** Jobs of a thread that is gone, before everything that waits: they have waited longest. */
  resubmit(jobs: readonly Job[]): void {
    for (let i = jobs.length - 1; i >= 0; i--) {
      const job = jobs[i] as Job;
      job.state = 'queued';
      this.#queue.unshift(job);
    }
    for (const thread of this.threads) this.onRoom(thread);
    if (this.#queue.size > 0) this.#onWaiting();
  }

  /** Moves unbegun work to sleeping threads, and refuses what has waited too long. Called every few milliseconds while there is work. */
  rebalance(): void {
    const now = this.#turns.nowMs;
    for (const thief of this.threads) {
      if (!thief.hasRoom || !thief.channel.peerSleeps || thief.unbegunTail !== null) continue;
      const victim = this.#mostBurdened(now - this.#options.recallAfterMs);
      if (victim === null) break;
      this.#moveHalf(victim, thief);
    }
    for (let job = this.#queue.head; job !== null && now - job.admittedAtMs > this.#options.maxWaitMs; ) {
      this.#queue.remove(job);
      this.#refuse(job, 'waited-too-long');
      job = this.#queue.head;
    }
    for (const thread of this.threads) this.#refuseStale(thread, now - this.#options.maxWaitMs);
    if (this.#queue.size > 0 || this.#mostBurdened(now - this.#options.recallAfterMs) !== null)
      this.#onWaiting();
  }

  /** The thread with most jobs among those that have kept one waiting since `sinceMs` or longer. */
  #mostBurdened(sinceMs: number): Thread | null {
    let most: Thread | null = null;
    for (const thread of this.threads) {
      const waiting = thread.oldestUnbegun;
      if (waiting === null || waiting.assignedAtMs > sinceMs) continue;
      if (most === null || thread.outstanding > most.outstanding) most = thread;
    }
    return most;
  }

  /**
   * Newest first, as only the tail is unbegun; half of that, the greater, so that the victim keeps work for when it comes
   * back and a single job moves.
   */
  #moveHalf(victim: Thread, thief: Thread): void {
    let unbegun = 0;
    for (let job = victim.oldestUnbegun; job !== null; job = job.next) unbegun++;
    const most = (unbegun + 1) >> 1;
    const moved: Job[] = [];
    while (moved.length < most) {
      const job = victim.unbegunTail;
      if (job === null || !victim.takeBack(job)) break;
      moved.push(job);
    }
    let left = moved.length;
    while (left > 0 && thief.hasRoom && thief.assign(moved[left - 1] as Job)) left--;
    this.recalledJobs += moved.length - left;
    // Newest first again, each before the last: the oldest comes to stand at the head.
    for (let i = 0; i < left; i++) {
      const job = moved[i] as Job;
      job.state = 'queued';
      this.#queue.unshift(job);
    }
    this.onRoom(victim);
  }

  #refuseStale(thread: Thread, beforeMs: number): void {
    // A job that was moved here stands behind younger ones, so all that are not begun are looked at.
    if (thread.unbegunTail === null) return;
    for (let job = thread.jobs.tail; job !== null; ) {
      const previous: Job | null = job.previous;
      if (job.admittedAtMs < beforeMs) {
        if (!thread.takeBack(job)) break;
        this.#refuse(job, 'waited-too-long');
      }
      job = previous;
    }
    this.onRoom(thread);
  }

  /** The pool has stopped: nobody will run what waits. */
  refuseAll(): void {
    for (let job = this.#queue.shift(); job !== null; job = this.#queue.shift())
      this.#refuse(job, 'pool-stopped');
  }
}
