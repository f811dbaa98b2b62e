/**
 * Gives jobs to threads: to the one with the least load while any has room, else to a bounded queue.
 *
 * Threads are given jobs before they can begin them, which keeps light work flowing. `rebalance` is the counterweight for
 * heavy work. It takes back what a thread was given beyond its pace, and all that a stalled thread has not begun while
 * another could; that waits in the queue for whoever is free first. What has waited for `recallAfterMs` all the same goes to a
 * thread that sleeps. Begun and not begun are told apart by the claim table, so no job runs twice.
 */
import { type Job, JobList, type Refusal } from './job.ts';
import type { SpanRecorder } from './span.ts';
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
  /** Follows jobs while a profile runs. */
  spans: SpanRecorder | null = null;
  readonly #options: DispatcherOptions;
  readonly #turns: Turns;
  readonly #queue = new JobList();
  readonly #onWaiting: () => void;
  /** Jobs moved from one thread to another, ever. */
  recalledJobs = 0;
  refusedJobs = 0;
  /** While the pool has no thread: when there may be one, by the time of `Turns`. */
  #noThreadBeforeMs = Number.NEGATIVE_INFINITY;

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
    if (this.spans !== null) job.span = this.spans.begin(job.label);
    if (this.#queue.size === 0 && this.#assign(job)) return;
    if (this.#isHopeless(job)) {
      this.#refuse(job, 'no-thread');
      return;
    }
    if (this.#queue.size >= this.#options.maxQueuedJobs && this.#queue.size >= this.#queueCapacity) {
      this.#refuse(job, 'queue-full');
      return;
    }
    job.state = 'queued';
    this.#queue.push(job);
    this.#onWaiting();
  }

  /** A job that waits here although a thread has a slot for it, since it could not begin it, takes nobody's place. */
  get #queueCapacity(): number {
    let slots = this.#options.maxQueuedJobs;
    for (const { state, freeSlots } of this.threads) if (state === 'ready') slots += freeSlots;
    return slots;
  }

  /** There is no thread before so long; -Infinity: there is one, or will be any moment. What cannot wait until then is refused. */
  set noThreadBeforeMs(atMs: number) {
    this.#noThreadBeforeMs = atMs;
    for (let job = this.#queue.head; job !== null && this.#isHopeless(job); job = this.#queue.head) {
      this.#queue.remove(job);
      this.#refuse(job, 'no-thread');
    }
  }

  #isHopeless({ admittedAtMs }: Job): boolean {
    return this.#noThreadBeforeMs - admittedAtMs > this.#options.maxWaitMs;
  }

  #refuse(job: Job, refusal: Refusal): void {
    this.refusedJobs++;
    job.state = 'released';
    if (job.span !== null) job.span.refused();
    try {
      job.onRefused(refusal, Math.max(0, this.#noThreadBeforeMs - this.#turns.nowMs));
    } catch (error) {
      // An error of ours costs that job, and not the turn or the queue behind it.
      job.onFault(error);
    }
  }

  /** Of the threads that have room: one that runs its loop before one that is stalled, then the one with the least load. */
  #pick(): Thread | null {
    const stalledSinceMs = this.#turns.nowMs - this.#options.recallAfterMs;
    let best: Thread | null = null;
    let isBestStalled = false;
    for (const thread of this.threads) {
      if (!thread.hasRoom) continue;
      const isStalled = thread.isStalled(stalledSinceMs);
      if (best !== null) {
        if (isStalled && !isBestStalled) continue;
        if (isStalled === isBestStalled && !hasLessWork(thread, best)) continue;
      }
      best = thread;
      isBestStalled = isStalled;
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
    // What a dispatcher has taken is on a thread of its pool, or on none.
    const thread = job.thread as Thread | null;
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

  /** Gives work to whoever can begin it, and refuses what has waited too long. Called every few milliseconds while there is work. */
  rebalance(): void {
    const now = this.#turns.nowMs;
    const { recallAfterMs, maxWaitMs } = this.#options;
    for (const thread of this.threads) thread.measure(recallAfterMs);
    for (const thread of this.threads) this.#recall(thread, now - recallAfterMs);
    for (const thread of this.threads) if (!thread.isStalled(now - recallAfterMs)) this.onRoom(thread);
    for (const thief of this.threads) {
      if (!thief.hasRoom || !thief.channel.peerSleeps || thief.unbegunTail !== null) continue;
      const victim = this.#mostBurdened(now - recallAfterMs);
      if (victim === null) break;
      this.#moveHalf(victim, thief);
    }
    for (let job = this.#queue.head; job !== null && now - job.admittedAtMs > maxWaitMs; ) {
      this.#queue.remove(job);
      this.#refuse(job, 'waited-too-long');
      job = this.#queue.head;
    }
    for (const thread of this.threads) this.#refuseStale(thread, now - maxWaitMs);
    for (const thread of this.threads) this.onRoom(thread);
    if (this.#queue.size > 0 || this.#mostBurdened(now - recallAfterMs) !== null) this.#onWaiting();
  }

  /** Takes back what the thread will not begin soon, to the head of the queue, in its order. */
  #recall(thread: Thread, stalledSinceMs: number): void {
    let count = thread.excess;
    if (thread.isStalled(stalledSinceMs) && this.#canAnotherBegin(thread, stalledSinceMs)) {
      count = thread.unbegunJobs;
    }
    for (; count > 0; count--) {
      const job = thread.unbegunTail;
      if (job === null || !thread.takeBack(job)) return;
      this.recalledJobs++;
      job.state = 'queued';
      this.#queue.unshift(job);
    }
  }

  #canAnotherBegin(than: Thread, stalledSinceMs: number): boolean {
    for (const thread of this.threads) {
      if (thread !== than && thread.hasRoom && !thread.isStalled(stalledSinceMs)) return true;
    }
    return false;
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
      // A refusal may end a connection, which withdraws the other jobs of it: then the list is another, and begun again.
      job = previous === null || previous.thread === thread ? previous : thread.jobs.tail;
    }
    this.onRoom(thread);
  }

  /** The pool drains: nobody will run what waits. */
  refuseAll(): void {
    for (let job = this.#queue.shift(); job !== null; job = this.#queue.shift())
      this.#refuse(job, 'draining');
  }
}

/** Jobs whose response is under way count only between threads that are alike: idle WebSockets spread over all of them. */
function hasLessWork(one: Thread, other: Thread): boolean {
  return one.load === other.load ? one.outstanding < other.outstanding : one.load < other.load;
}
