/**
 * Gives jobs to threads: to the one that is expected to begin them first, or, when none is expected to begin them soon, to a bounded
 * queue that whoever is free first takes from. What is expected follows from what jobs of each lane have cost.
 *
 * Light work is given in depth, before threads can begin it, which keeps it flowing. `rebalance` is the counterweight for what costs more
 * than was expected. It takes back what a thread was given beyond its pace, and all that a stalled thread has not begun while
 * another could; that waits in the queue, and if none could yet, the next thread that has room takes it. What has waited for `recallAfterMs` all the same goes to a
 * thread that sleeps. Begun and not begun are told apart by the claim table, so no job runs twice.
 *
 * A job of a lane that has as many with the pool as it may is held in a queue of the lane's own until one of them is over.
 */
import { NO_ROOM } from './backlog.ts';
import type { Job, Refusal } from './job.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { rendezvousScore } from './rendezvous.ts';
import type { SpanRecorder } from './span.ts';
import type { Thread } from './thread.ts';
import type { Turns } from './turns.ts';
import { WaitingList } from './waiting-list.ts';

/** What a thread may have of all jobs to be given more for their affinity, as a multiple of its fair share. */
const FAIR_SHARE = 1.25;

export interface DispatcherOptions {
  /** Jobs that may wait when every thread is full. */
  readonly maxQueuedJobs: number;
  /** A job that no thread has begun by then is refused. */
  readonly maxWaitMs: number;
  /** A job that its thread has not begun after this may move to an idle one. */
  readonly recallAfterMs: number;
}

export class Dispatcher implements LaneOwner {
  readonly threads: Thread[] = [];
  /** Follows jobs while a profile runs. */
  spans: SpanRecorder | null = null;
  /** May be replaced: what waits is held to the new ones. */
  options: DispatcherOptions;
  readonly #turns: Turns;
  readonly #queue = new WaitingList();
  /** Jobs that wait until fewer of their lane are with the pool. */
  readonly #held = new Map<Lane, WaitingList>();
  /** Of jobs that come without one. */
  readonly lane = new Lane();
  readonly #onWaiting: () => void;
  /** When it was last looked a stalled thread had jobs that it has not begun, and no other thread had room for them. */
  #mayRob = false;
  /** When no thread would have the head of the queue. */
  #stoppedAtMs = Number.NEGATIVE_INFINITY;
  /** Jobs moved from one thread to another, ever. */
  recalledJobs = 0;
  refusedJobs = 0;
  /** While the pool has no thread: when there may be one, by `Turns.runningMs`. */
  #noThreadBeforeMs = Number.NEGATIVE_INFINITY;

  /** `onWaiting` is called when a job has to wait although the pool could have more threads. */
  constructor(options: DispatcherOptions, turns: Turns, onWaiting: () => void) {
    this.options = options;
    this.#turns = turns;
    this.#onWaiting = onWaiting;
  }

  get queuedJobs(): number {
    return this.#queue.size;
  }

  /** Since the oldest job was admitted that no thread has begun, however many more of them there were; -1: there is none. What is held does not count. */
  get longestWaitMs(): number {
    let sinceMs = this.#queue.head?.waitingSinceMs ?? Number.POSITIVE_INFINITY;
    for (const thread of this.threads) {
      const oldest = thread.oldestUnbegun;
      if (oldest !== null) sinceMs = Math.min(sinceMs, oldest.waitingSinceMs);
    }
    return sinceMs === Number.POSITIVE_INFINITY ? -1 : this.#turns.runningMs - sinceMs;
  }

  /** Jobs that wait until fewer of their lane are with the pool. */
  get heldJobs(): number {
    let jobs = 0;
    for (const { size } of this.#held.values()) jobs += size;
    return jobs;
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
    if (this.#queue.size === 0 && this.#assign(job)) return;
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
    // Between two turns nothing changes without a call. If there is more work than the threads can take, asking again
    // for each job would find nothing.
    if (waited && this.#turns.nowMs !== this.#stoppedAtMs) this.#advance();
    if (this.#queue.size > 0) this.#onWaiting();
  }

  #hold(job: Job, lane: Lane): void {
    let held = this.#held.get(lane);
    if ((held?.size ?? 0) >= lane.options.maxHeld) {
      this.#refuse(job, 'queue-full');
      return;
    }
    if (held === undefined) {
      held = new WaitingList();
      this.#held.set(lane, held);
      lane.owner = this;
    }
    job.state = 'held';
    held.push(job);
  }

  // ---- LaneOwner

  /** What was held has a place in the queue, however many wait there: no more of it come at once than the lane may have running. */
  onLaneFree(lane: Lane): void {
    while (!lane.isFull) {
      const job = this.#held.get(lane)?.shift() ?? null;
      if (job === null) {
        lane.owner = null;
        this.#held.delete(lane);
        return;
      }
      lane.running++;
      if (this.#queue.size > 0 || !this.#assign(job)) this.#enqueue(job);
    }
  }

  /** A job that waits here although a thread has a slot for it, since it could not begin it, takes nobody's place. */
  get #queueCapacity(): number {
    let slots = this.options.maxQueuedJobs;
    for (const { state, freeSlots } of this.threads) if (state === 'ready') slots += freeSlots;
    return slots;
  }

  /** There is no thread before so long; -Infinity: there is one, or will be any moment. What cannot wait until then is refused. */
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

  /** A job that has been given to the pool. */
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
      // An error of ours costs that job, and not the turn or the queue behind it.
      job.onFault(error);
    }
  }

  /**
   * The thread that is expected to begin a job first, and of those the one with the least load. What is stalled is given nothing, unless there
   * is no other: it would have to be taken back.
   */
  #pick(): Thread | null {
    const stalledSinceMs = this.#turns.nowMs - this.options.recallAfterMs;
    let best: Thread | null = null;
    let leastUs = NO_ROOM - 1;
    let stalled = 0;
    for (const thread of this.threads) {
      const waitUs = thread.expectedWaitUs();
      if (waitUs > leastUs) continue;
      if (this.threads.length > 1 && thread.isStalled(stalledSinceMs)) {
        stalled++;
        continue;
      }
      if (best !== null && waitUs === leastUs && !hasLessWork(thread, best)) continue;
      best = thread;
      leastUs = waitUs;
    }
    return best === null && stalled > 0 ? this.#awaitStalled(stalledSinceMs) : best;
  }

  /** One that has nothing to answer says nothing when it comes back, unless it is asked to. It may have come back before it could see that. */
  #awaitStalled(stalledSinceMs: number): Thread | null {
    for (const thread of this.threads) thread.holdBack();
    for (const thread of this.threads)
      if (thread.expectedWaitUs() < NO_ROOM && !thread.isStalled(stalledSinceMs)) return thread;
    return null;
  }

  #assign(job: Job): boolean {
    const first = this.#pickByAffinity(job) ?? this.#pick();
    if (first === null) return false;
    if (first.assign(job)) return true;
    // Its ring is full, which says nothing of the others'.
    for (const thread of this.threads)
      if (thread !== first && thread.hasRoom && thread.assign(job)) return true;
    return false;
  }

  /**
   * Rendezvous hashing with bounded load: of the threads that could begin the job soon and have no more than a fair share and a quarter, the
   * one that its key and the thread's name make first. Null: none, or the job does not mind.
   */
  #pickByAffinity(job: Job): Thread | null {
    if (job.lane === null || !job.lane.options.hasAffinity) return null;
    const key = job.affinityKey;
    if (key === '') return null;
    let load = 1;
    for (const thread of this.threads) load += thread.load;
    const bound = Math.ceil((FAIR_SHARE * load) / this.threads.length);
    const stalledSinceMs = this.#turns.nowMs - this.options.recallAfterMs;
    let best: Thread | null = null;
    let most = -1;
    for (const thread of this.threads) {
      if (thread.load >= bound || !thread.hasRoom || thread.isStalled(stalledSinceMs)) continue;
      const score = rendezvousScore(key, thread.name);
      if (score <= most) continue;
      best = thread;
      most = score;
    }
    return best;
  }

  /** What waits goes to whoever can begin it, in its order. */
  #advance(): void {
    for (let job = this.#queue.head; job !== null; job = this.#queue.head) {
      this.#queue.remove(job);
      if (this.#assign(job)) continue;
      this.#queue.unshift(job);
      this.#stoppedAtMs = this.#turns.nowMs;
      return;
    }
  }

  /** A thread has a free slot, or room in its ring: the queue moves on. */
  onRoom(thread: Thread): void {
    if (this.#mayRob) this.#rob(thread);
    for (let job = this.#queue.head; job !== null && thread.hasRoom; job = this.#queue.head) {
      this.#queue.remove(job);
      if (!thread.assign(job)) {
        this.#queue.unshift(job);
        return;
      }
    }
  }

  /** Withdraws a job that nobody has begun: it is nobody's afterwards. False when it is running. */
  withdraw(job: Job): boolean {
    const { lane } = job;
    if (job.state === 'held') {
      this.#held.get(lane as Lane)?.remove(job);
      job.state = 'released';
      return true;
    }
    if (job.state === 'queued') {
      this.#queue.remove(job);
      job.state = 'released';
      lane?.leave();
      return true;
    }
    // What a dispatcher has taken is on a thread of its pool, or on none.
    const thread = job.thread as Thread | null;
    if (thread === null || !thread.takeBack(job)) return false;
    lane?.leave();
    this.#advance();
    return true;
  }

  /** Jobs of a thread that is gone, before everything that waits: they have waited longest. */
  resubmit(jobs: readonly Job[]): void {
    for (let i = jobs.length - 1; i >= 0; i--) {
      const job = jobs[i] as Job;
      job.state = 'queued';
      this.#queue.unshift(job);
    }
    this.#advance();
    if (this.#queue.size > 0) this.#onWaiting();
  }

  /** Gives work to whoever can begin it, and refuses what has waited too long. Called every few milliseconds while there is work. */
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

  /** Takes back what the thread will not begin soon, to the head of the queue, in its order. */
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

  /** Gives a thread that makes progress what stalled ones have not begun, oldest first: that has waited longer than what is in the queue. */
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
        if (!victim.takeBack(job)) break;
        this.recalledJobs++;
        if (thief.assign(job)) continue;
        job.state = 'queued';
        this.#queue.unshift(job);
        return;
      }
    }
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
    for (const held of this.#held.values()) {
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
    // A job that was moved here stands behind younger ones, so all that are not begun are looked at.
    if (thread.unbegunTail === null) return;
    for (let job = thread.jobs.tail; job !== null; ) {
      const previous: Job | null = job.previous;
      if (job.waitingSinceMs < beforeMs) {
        if (!thread.takeBack(job)) break;
        this.#refuseAdmitted(job, 'waited-too-long');
      }
      // A refusal may end a connection, which withdraws the other jobs of it: then the list is another, and begun again.
      job = previous === null || previous.thread === thread ? previous : thread.jobs.tail;
    }
  }

  /** The pool drains: nobody will run what waits. */
  refuseAll(): void {
    for (const held of this.#held.values()) {
      for (let job = held.shift(); job !== null; job = held.shift()) this.#refuse(job, 'draining');
    }
    for (let job = this.#queue.shift(); job !== null; job = this.#queue.shift())
      this.#refuseAdmitted(job, 'draining');
  }
}

/** Jobs whose response is under way count only between threads that are alike: idle WebSockets spread over all of them. */
function hasLessWork(one: Thread, other: Thread): boolean {
  return one.load === other.load ? one.outstanding < other.outstanding : one.load < other.load;
}
