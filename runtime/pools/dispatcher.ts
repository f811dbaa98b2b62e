/**
 * Gives jobs to threads. A job goes to the thread that is expected to begin it first. When no thread is
 * expected to begin it soon, the job waits in a bounded queue, and the first thread with room takes it. The
 * expectation comes from what earlier jobs of the same lane have cost.
 *
 * Light jobs are given to threads ahead of time, which keeps the threads busy. Two things correct this for
 * jobs that cost more than expected. A thread that runs out of work takes over what another thread would
 * begin late. And `rebalance` takes back the jobs that exceed a thread's pace, and all unbegun jobs of a
 * stalled thread if another thread could begin them. Jobs that were taken back wait in the queue. If no
 * thread could begin them yet, the next thread with room takes them. A job that has waited for
 * `recallAfterMs` all the same goes to a thread that sleeps. The claim table tells begun jobs from unbegun
 * ones, so no job runs twice.
 *
 * A lane may limit how many of its jobs are with the pool. Jobs beyond that are held in a queue of the lane
 * until one of the others is over.
 */
import { HeldJobs } from './held-jobs.ts';
import type { Job, Refusal } from './job.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { Placement } from './placement.ts';
import type { SpanRecorder } from './span.ts';
import type { Thread } from './thread.ts';
import type { Turns } from './turns.ts';
import { WaitingList } from './waiting-list.ts';

export interface DispatcherOptions {
  /** Jobs that may wait when every thread is full. */
  readonly maxQueuedJobs: number;
  /** A job that no thread has begun by then is refused. */
  readonly maxWaitMs: number;
  /** A job that its thread has not begun after this time may move to an idle thread. */
  readonly recallAfterMs: number;
}

export class Dispatcher implements LaneOwner {
  readonly threads: Thread[] = [];
  /** Follows jobs while a profile runs. */
  spans: SpanRecorder | null = null;
  /** May be replaced. The new options apply to jobs that wait already. */
  options: DispatcherOptions;
  readonly #turns: Turns;
  readonly #queue = new WaitingList();
  readonly #held = new HeldJobs();
  readonly #placement: Placement;
  /** The lane of jobs that come without one. */
  readonly lane = new Lane();
  readonly #onWaiting: () => void;
  /** True if, at the last check, a stalled thread had unbegun jobs and no other thread had room for them. */
  #mayRob = false;
  /** When the last attempt failed to give the head of the queue to a thread. */
  #stoppedAtMs = Number.NEGATIVE_INFINITY;
  /** Jobs moved from one thread to another, since the start. */
  recalledJobs = 0;
  refusedJobs = 0;
  /** While the pool has no thread: when there may be one, by `Turns.runningMs`. */
  #noThreadBeforeMs = Number.NEGATIVE_INFINITY;

  /** @param onWaiting called when a job has to wait although the pool could have more threads */
  constructor(options: DispatcherOptions, turns: Turns, onWaiting: () => void) {
    this.options = options;
    this.#turns = turns;
    this.#onWaiting = onWaiting;
    this.#placement = new Placement(this.threads, turns, this);
  }

  get queuedJobs(): number {
    return this.#queue.size;
  }

  /**
   * How long the longest-waiting job has waited since it was admitted: the first job of the queue, or the
   * oldest unbegun job of a thread; -1: no job waits. Held jobs do not count.
   */
  get longestWaitMs(): number {
    let sinceMs = this.#queue.head?.waitingSinceMs ?? Number.POSITIVE_INFINITY;
    for (const thread of this.threads) {
      const oldest = thread.oldestUnbegun;
      if (oldest !== null) sinceMs = Math.min(sinceMs, oldest.waitingSinceMs);
    }
    return sinceMs === Number.POSITIVE_INFINITY ? -1 : this.#turns.runningMs - sinceMs;
  }

  /** Jobs that wait until fewer jobs of their lane are with the pool. */
  get heldJobs(): number {
    return this.#held.size;
  }

  get outstandingJobs(): number {
    let jobs = this.#queue.size + this.heldJobs;
    for (const thread of this.threads) jobs += thread.outstanding;
    return jobs;
  }

  submit(job: Job): void {
    job.admittedAtMs = this.#turns.nowMs;
    job.waitingSinceMs = this.#turns.runningMs;
    const lane = (job.lane ??= this.lane);
    if (this.spans !== null) job.span = this.spans.begin(job.label);
    if (lane.isFull) {
      this.#hold(job, lane);
      return;
    }
    lane.running++;
    if (this.#queue.size === 0 && this.#placement.assign(job)) return;
    if (this.#isHopeless(job)) {
      this.#refuseAdmitted(job, 'no-thread');
      return;
    }
    if (this.#queue.size >= this.options.maxQueuedJobs && this.#queue.size >= this.#queueCapacity) {
      this.#refuseAdmitted(job, 'queue-full');
      return;
    }
    this.#enqueue(job);
  }

  #enqueue(job: Job): void {
    job.state = 'queued';
    const waited = this.#queue.size > 0;
    this.#queue.push(job);
    // Between two turns nothing changes without a call. If there is more work than the threads can take,
    // trying again for each job would not succeed.
    if (waited && this.#turns.nowMs !== this.#stoppedAtMs) this.#advance();
    if (this.#queue.size > 0) this.#onWaiting();
  }

  #hold(job: Job, lane: Lane): void {
    if (this.#held.hold(job, lane)) lane.owner = this;
    else this.#refuse(job, 'queue-full');
  }

  // ---- LaneOwner

  /**
   * A held job gets a place in the queue however long the queue is: the lane's limit bounds how many of them
   * there can be.
   */
  onLaneFree(lane: Lane): void {
    while (!lane.isFull) {
      const job = this.#held.shift(lane);
      if (job === null) {
        lane.owner = null;
        return;
      }
      // The jobs do not pass through the queue. There, each refusal would admit and refuse the next job
      // before it returns, and thousands of held jobs would exhaust the stack.
      if (this.#isHopeless(job)) {
        this.#refuse(job, 'no-thread');
        continue;
      }
      lane.running++;
      if (this.#queue.size > 0 || !this.#placement.assign(job)) this.#enqueue(job);
    }
  }

  /**
   * Jobs may wait here although a thread has a slot for them, because that thread could not begin them soon.
   * They do not count against the limit of the queue.
   */
  get #queueCapacity(): number {
    let slots = this.options.maxQueuedJobs;
    for (const { state, freeSlots } of this.threads) if (state === 'ready') slots += freeSlots;
    return slots;
  }

  /**
   * No thread is expected before this time; -Infinity: there is a thread, or one will start at any moment.
   * Jobs that cannot wait until then are refused.
   */
  set noThreadBeforeMs(atMs: number) {
    this.#noThreadBeforeMs = atMs;
    for (let job = this.#queue.head; job !== null && this.#isHopeless(job); job = this.#queue.head) {
      this.#queue.remove(job);
      this.#refuseAdmitted(job, 'no-thread');
    }
  }

  #isHopeless({ waitingSinceMs }: Job): boolean {
    return this.#noThreadBeforeMs - waitingSinceMs > this.options.maxWaitMs;
  }

  /** Refuses a job that counts among those of its lane. */
  #refuseAdmitted(job: Job, refusal: Refusal): void {
    this.#refuse(job, refusal);
    job.lane?.leave();
  }

  #refuse(job: Job, refusal: Refusal): void {
    this.refusedJobs++;
    job.state = 'released';
    if (job.span !== null) job.span.refused();
    try {
      job.onRefused(refusal, Math.max(0, this.#noThreadBeforeMs - this.#turns.runningMs));
    } catch (error) {
      // An internal error costs this job, and not the turn or the queue behind the job.
      job.onFault(error);
    }
  }

  /** Gives queued jobs to threads that can begin them, in the order of the queue. */
  #advance(): void {
    for (let job = this.#queue.head; job !== null; job = this.#queue.head) {
      this.#queue.remove(job);
      if (this.#placement.assign(job)) continue;
      this.#queue.unshift(job);
      this.#stoppedAtMs = this.#turns.nowMs;
      return;
    }
  }

  /**
   * A thread has a free slot, or room in its ring: it takes jobs from the queue. If there are none and it has
   * nothing to begin, it relieves another thread.
   */
  onRoom(thread: Thread): void {
    if (this.#mayRob) this.#rob(thread);
    for (let job = this.#queue.head; job !== null && thread.hasRoom; job = this.#queue.head) {
      this.#queue.remove(job);
      if (!thread.assign(job)) {
        this.#queue.unshift(job);
        return;
      }
    }
    if (thread.isOutOfWork && this.#queue.size === 0 && this.threads.length > 1) this.#relieve(thread);
  }

  /** Gives a thread that has nothing to begin what others would begin late, as much as it can begin soon. */
  #relieve(idle: Thread): void {
    for (const thread of this.threads) {
      if (thread === idle || !thread.isLate) continue;
      for (let job = thread.oldestUnbegun; job !== null && thread.isLate; job = thread.oldestUnbegun) {
        if (!idle.canBeginSoon || this.#move(job, thread, idle) === 'full') return;
      }
    }
  }

  /**
   * @returns `begun`: the first thread has just begun the job; `full`: the ring of the second is full, and the
   *   job waits at the head of the queue
   */
  #move(job: Job, from: Thread, to: Thread): 'moved' | 'begun' | 'full' {
    if (!from.takeBack(job)) return 'begun';
    this.recalledJobs++;
    if (to.assign(job)) return 'moved';
    job.state = 'queued';
    this.#queue.unshift(job);
    return 'full';
  }

  /**
   * Withdraws a job that no thread has begun. Afterwards neither the queue nor a thread has the job.
   * @returns false if a thread has begun it
   */
  withdraw(job: Job): boolean {
    const { lane } = job;
    if (job.state === 'held') {
      this.#held.remove(job);
      job.state = 'released';
      return true;
    }
    if (job.state === 'queued') {
      this.#queue.remove(job);
      job.state = 'released';
      lane?.leave();
      return true;
    }
    // A job that a dispatcher has taken is on a thread of its pool, or on none.
    const thread = job.thread as Thread | null;
    if (thread === null || !thread.takeBack(job)) return false;
    lane?.leave();
    this.#advance();
    return true;
  }

  /**
   * Takes jobs of a thread that is gone. They go to the front of the queue, because they have waited longest.
   */
  resubmit(jobs: readonly Job[]): void {
    for (let i = jobs.length - 1; i >= 0; i--) {
      const job = jobs[i] as Job;
      job.state = 'queued';
      this.#queue.unshift(job);
    }
    this.#advance();
    if (this.#queue.size > 0) this.#onWaiting();
  }

  /**
   * Gives jobs to threads that can begin them, and refuses jobs that have waited too long. Called every few
   * milliseconds while there is work.
   */
  rebalance(): void {
    const now = this.#turns.nowMs;
    const { recallAfterMs, maxWaitMs } = this.options;
    for (const thread of this.threads) thread.measure(recallAfterMs);
    for (const thread of this.threads) this.#recall(thread, now - recallAfterMs);
    this.#advance();
    for (const thief of this.threads) {
      if (!thief.hasRoom || !thief.channel.peerSleeps || thief.unbegunTail !== null) continue;
      const victim = this.#mostBurdened(now - recallAfterMs);
      if (victim === null) break;
      this.#moveHalf(victim, thief);
    }
    const waitsTooLongMs = this.#turns.runningMs - maxWaitMs;
    this.#refuseOld(waitsTooLongMs);
    for (const thread of this.threads) this.#refuseStale(thread, waitsTooLongMs);
    this.#advance();
    if (this.#queue.size > 0 || this.#mostBurdened(now - recallAfterMs) !== null) this.#onWaiting();
  }

  /**
   * Takes back the jobs that the thread will not begin soon. They go to the front of the queue, in their
   * order.
   */
  #recall(thread: Thread, stalledSinceMs: number): void {
    let count = thread.excess;
    if (thread.unbegunTail !== null && thread.isStalled(stalledSinceMs)) {
      if (this.#canAnotherBegin(thread, stalledSinceMs)) count = thread.unbegunJobs;
      else this.#mayRob = true;
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

  /**
   * Gives a thread that makes progress the unbegun jobs of stalled threads, oldest first: these have waited
   * longer than the jobs in the queue.
   */
  #rob(thief: Thread): void {
    const stalledSinceMs = this.#turns.nowMs - this.options.recallAfterMs;
    this.#mayRob = false;
    for (const victim of this.threads) {
      if (victim === thief || !victim.isStalled(stalledSinceMs)) continue;
      for (let job = victim.oldestUnbegun; job !== null; job = victim.oldestUnbegun) {
        if (!thief.hasRoom) {
          this.#mayRob = true;
          return;
        }
        const moved = this.#move(job, victim, thief);
        if (moved === 'full') return;
        if (moved === 'begun') break;
      }
    }
  }

  /** Of the threads that have kept a job waiting since `sinceMs` or longer, the one with the most jobs. */
  #mostBurdened(sinceMs: number): Thread | null {
    let most: Thread | null = null;
    for (const thread of this.threads) {
      if (!thread.keepsWaitingSince(sinceMs)) continue;
      if (most === null || thread.outstanding > most.outstanding) most = thread;
    }
    return most;
  }

  /**
   * Moves half of the unbegun jobs, rounded up, newest first, because the unbegun jobs are the tail of the
   * list. The victim keeps the rest for when it comes back. Rounding up moves a single job.
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
    // Newest first, each in front of the last, so the oldest ends up at the head.
    for (let i = 0; i < left; i++) {
      const job = moved[i] as Job;
      job.state = 'queued';
      this.#queue.unshift(job);
    }
  }

  #refuseOld(beforeMs: number): void {
    const queue = this.#queue;
    for (
      let job = queue.waitingSinceBefore(beforeMs);
      job !== null;
      job = queue.waitingSinceBefore(beforeMs)
    ) {
      queue.remove(job);
      this.#refuseAdmitted(job, 'waited-too-long');
    }
    for (const held of this.#held.lanes) {
      for (
        let job = held.waitingSinceBefore(beforeMs);
        job !== null;
        job = held.waitingSinceBefore(beforeMs)
      ) {
        held.remove(job);
        this.#refuse(job, 'waited-too-long');
      }
    }
  }

  #refuseStale(thread: Thread, beforeMs: number): void {
    // A job that was moved here is behind younger jobs in the list, so all unbegun jobs are checked.
    if (thread.unbegunTail === null) return;
    for (let job = thread.jobs.tail; job !== null; ) {
      const previous: Job | null = job.previous;
      if (job.waitingSinceMs < beforeMs) {
        if (!thread.takeBack(job)) break;
        this.#refuseAdmitted(job, 'waited-too-long');
      }
      // A refusal may end a connection, which withdraws the other jobs of the connection and changes the
      // list. So the walk begins again.
      job = previous === null || previous.thread === thread ? previous : thread.jobs.tail;
    }
  }

  /** The pool drains, so no thread will run the waiting jobs. */
  refuseAll(): void {
    for (const held of this.#held.lanes) {
      for (let job = held.shift(); job !== null; job = held.shift()) this.#refuse(job, 'draining');
    }
    for (let job = this.#queue.shift(); job !== null; job = this.#queue.shift())
      this.#refuseAdmitted(job, 'draining');
  }
}
