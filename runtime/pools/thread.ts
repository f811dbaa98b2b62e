/**
 * One application thread as the reactor sees it: its end of the channel, its slots, and its jobs in the order
 * in which they were given. A slot is free again after the FINAL message. `Backlog` decides how much the
 * thread is given ahead, `JobReceiver` reads what it sends.
 */

import type { MessagePort } from 'node:worker_threads';
import { type AtomicWords, hardwareAtomics } from '../../wire/atomics.ts';
import { type ChannelTransfer, createChannel } from '../../wire/channel.ts';
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import { corrupt } from '../../wire/decoder.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import { Vitals } from '../../wire/vitals.ts';
import { Backlog, NO_ROOM } from './backlog.ts';
import { BegunJobs } from './begun-jobs.ts';
import { Casualties } from './casualties.ts';
import { type Job, JobList } from './job.ts';
import { blame, type JobHolder, JobReceiver } from './job-receiver.ts';
import { JobTimes } from './job-times.ts';
import { RingWaiters } from './ring-waiters.ts';
import { Slots } from './slots.ts';
import { Tally } from './tally.ts';
import { ThreadProfile } from './thread-profile.ts';
import type { Turns } from './turns.ts';

/** What a thread reports to its pool. */
export interface ThreadOwner {
  /** A slot has become free. */
  onRoom(thread: Thread): void;
  /** The thread wrote what no host writes, or closed its ring: it must be ended. */
  onCorrupt(thread: Thread, error: Error): void;
}

export class Thread implements JobHolder {
  readonly name: string;
  readonly profile = new ThreadProfile();
  readonly channel: ReactorEnd;
  readonly transfer: ChannelTransfer;
  readonly transferList: readonly MessagePort[];
  readonly jobs = new JobList();
  readonly tally = new Tally();
  readonly vitals: Vitals;
  /**
   * `starting`: its application is not loaded yet. `draining`: it takes no more jobs. `dead`: it never leaves
   * that state.
   */
  state: 'starting' | 'ready' | 'draining' | 'dead' = 'starting';
  /** The jobs that the thread had when it died. */
  readonly casualties = new Casualties();
  /**
   * True if the thread makes spans of its exchanges. It is then told when it was given each exchange, and
   * when those that it follows are over.
   */
  isTraced = false;
  /** The thread's companion beside the pool's channel; null: it has none. */
  companion: { readonly hasWork: boolean } | null = null;
  /** When the thread last ran out of jobs. */
  idleSinceMs = 0;
  /** When the thread last sent something, which it does from its event loop. */
  #heardAtMs = 0;
  readonly #slots: Slots;
  readonly #ringWaiters = new RingWaiters();
  readonly #owner: ThreadOwner;
  readonly #turns: Turns;
  readonly #backlog: Backlog;
  readonly #times: JobTimes;
  readonly #begun: BegunJobs;

  constructor(
    name: string,
    owner: ThreadOwner,
    turns: Turns,
    slots: number,
    ringBytes: number,
    atomics: AtomicWords = hardwareAtomics,
  ) {
    this.name = name;
    this.#owner = owner;
    this.#turns = turns;
    const bySlot = new Array<Job | null>(slots).fill(null);
    const receiver = new JobReceiver(bySlot, this, this.tally);
    const ring = { requestRingBytes: ringBytes, responseRingBytes: ringBytes, slots };
    const { reactor, transfer, transferList } = createChannel(receiver, ring, atomics);
    this.channel = reactor;
    this.#slots = new Slots(bySlot, reactor.claims);
    this.transfer = transfer;
    this.vitals = new Vitals(transfer.vitals);
    this.transferList = transferList;
    this.#backlog = new Backlog(reactor, this.vitals, this.jobs, turns);
    this.#times = new JobTimes(name, reactor, this.vitals, this.tally);
    this.#begun = new BegunJobs(reactor, this.vitals, this.jobs, this.#slots);
  }

  get outstanding(): number {
    return this.jobs.size;
  }

  /**
   * True if work other than jobs, a call of an actor, waits for the thread's event loop or has begun there.
   */
  get hasOtherWork(): boolean {
    return this.companion?.hasWork === true;
  }

  /** Jobs that could be sent to the thread while both sides sleep. More than 0 is an internal error. */
  get stalledJobs(): number {
    if (!this.channel.isQuiet) return 0;
    let stalled = 0;
    for (let job = this.jobs.head; job !== null; job = job.next) if (job.isUnsent) stalled++;
    return this.channel.unpublishedBytes > 0 ? Math.max(1, stalled) : stalled;
  }

  /** How often and for how long the begun jobs have waited for credit, and how many wait now. */
  openStalls(nowUs: number): { readonly now: number; readonly stalls: number; readonly stalledUs: number } {
    return this.#times.openStalls(this.jobs, nowUs);
  }

  /** When the thread last sent something. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** See `BegunJobs.all`. */
  begunJobs(): Iterable<Job> {
    return this.#begun.all();
  }

  /** See `BegunJobs.running`. */
  get runningJob(): Job | null {
    return this.#begun.running;
  }

  /** Called when the job has kept the thread from its event loop for longer than allowed. */
  overrun(job: Job): void {
    try {
      job.onOverrun();
    } catch (error) {
      blame(job, error);
    }
  }

  /** How long the oldest begun job has run; null: the thread has begun none. */
  longestRunningUs(nowMs: number): number | null {
    return this.#times.longestRunningUs(this.jobs, nowMs);
  }

  /** See `Backlog.load`. */
  get load(): number {
    return this.#backlog.load;
  }

  /**
   * True if the thread has a free slot, few enough unbegun jobs, and no work that is expected to delay them
   * for long.
   */
  get hasRoom(): boolean {
    return this.expectedWaitUs() !== NO_ROOM;
  }

  /**
   * How long a job that the thread is given now is expected to wait until it begins, in microseconds;
   * `NO_ROOM`: for too long.
   */
  expectedWaitUs(): number {
    return this.state !== 'ready' || this.#slots.free === 0 ? NO_ROOM : this.#backlog.expectedWaitUs();
  }

  get freeSlots(): number {
    return this.#slots.free;
  }

  /** See `Backlog.isOutOfWork`. */
  get isOutOfWork(): boolean {
    return this.#backlog.isOutOfWork;
  }

  /** See `Backlog.isLate`. */
  get isLate(): boolean {
    return this.#backlog.isLate;
  }

  /** See `Backlog.canBeginSoon`. */
  get canBeginSoon(): boolean {
    return this.state === 'ready' && this.#slots.free > 0 && this.#backlog.canBeginSoon;
  }

  /** See `Backlog.excess`. */
  get excess(): number {
    return this.#backlog.excess;
  }

  get unbegunJobs(): number {
    return this.#backlog.unbegunJobs;
  }

  /** See `Backlog.holdBack`. */
  holdBack(): void {
    this.#backlog.holdBack();
  }

  /** See `Backlog.isStalled`. */
  isStalled(silentSinceMs: number): boolean {
    return this.#backlog.isStalled(this.#heardAtMs, silentSinceMs);
  }

  /** See `Backlog.keepsWaitingSince`. */
  keepsWaitingSince(sinceMs: number): boolean {
    return this.#backlog.keepsWaitingSince(sinceMs);
  }

  /** Receives messages of the thread. @returns how many */
  receive(limit: number, limitBytes: number): number {
    const received = this.channel.receive(limit, limitBytes);
    if (received > 0) this.#heardAtMs = this.#turns.nowMs;
    if (this.#backlog.isHeldBack) this.#lookAgain();
    return received;
  }

  /** The thread may have begun the jobs that kept it from more. */
  #lookAgain(): void {
    if (this.expectedWaitUs() === NO_ROOM) return;
    this.#backlog.holdBackNoLonger();
    this.#tellOfRoom();
  }

  /** See `Backlog.measure`. */
  measure(recallAfterMs: number): void {
    this.#backlog.measure(recallAfterMs);
  }

  /**
   * Gives a job to the thread. If the job throws while it is sent, `onFault` of the job is called, and no
   * thread has the job.
   * @returns false if the ring is full; nothing has changed
   */
  assign(job: Job): boolean {
    const slot = this.#slots.take();
    const claims = this.channel.claims;
    const generation = claims.queue(slot);
    if (generation === -1) {
      this.#fail(corrupt('a free slot', `slot ${slot}, which the thread has taken`));
      return false;
    }
    if (this.isTraced) this.vitals.give(slot, clockMicroseconds(this.#turns.nowMs), job.arrivingUs);
    let isSent = false;
    try {
      isSent = job.sendOpen(this, slot, generation);
    } catch (error) {
      this.#slots.giveBack(slot);
      job.state = 'released';
      job.onFault(error);
      if (job.lane !== null) job.lane.leave();
      return true;
    }
    if (!isSent) {
      this.#slots.giveBack(slot);
      return false;
    }
    this.#slots.give(slot, job);
    job.state = 'assigned';
    job.thread = this;
    job.slot = slot;
    job.generation = generation;
    job.assignedAtMs = this.#turns.nowMs;
    this.#backlog.assigned(job);
    if (job.span !== null) job.span.assigned(this.name);
    this.jobs.push(job);
    this.#turns.request();
    return true;
  }

  /** Whether `adopt` would take a job now. */
  get canAdopt(): boolean {
    return this.state !== 'dead' && this.#slots.free > 0;
  }

  /**
   * Gives the thread a job that it has asked for itself, and has begun by asking. The slot is claimed for the
   * thread, so the job never moves. The job tells the thread its slot.
   * @returns false if the claim table is corrupt and the thread must be ended
   */
  adopt(job: Job): boolean {
    const slot = this.#slots.take();
    const { claims } = this.channel;
    const generation = claims.queue(slot);
    if (generation === -1 || !claims.claim(slot, generation)) {
      this.#fail(corrupt('a free slot', `slot ${slot}, which the thread has taken`));
      return false;
    }
    this.#slots.give(slot, job);
    job.state = 'assigned';
    job.thread = this;
    job.slot = slot;
    job.generation = generation;
    job.admittedAtMs = this.#turns.nowMs;
    job.waitingSinceMs = this.#turns.runningMs;
    job.assignedAtMs = job.admittedAtMs;
    this.vitals.begin(slot, clockMicroseconds(job.assignedAtMs));
    job.hasResponded = false;
    job.isWaking = false;
    job.costUs = 0;
    // The job goes to the front of the list, among the begun jobs.
    this.jobs.unshift(job);
    this.#turns.request();
    return true;
  }

  /** Takes back a job. @returns false: the thread has begun it */
  takeBack(job: Job): boolean {
    if (!this.channel.claims.recall(job.slot)) return false;
    this.#backlog.recalled(job);
    if (job.span !== null) job.span.recalled();
    this.#release(job);
    return true;
  }

  /** Takes back all unbegun jobs. @returns oldest first */
  takeUnbegun(): Job[] {
    const taken: Job[] = [];
    for (let job = this.unbegunTail; job !== null && this.takeBack(job); job = this.unbegunTail) {
      taken.unshift(job);
    }
    return taken;
  }

  /** The server waits no longer for the jobs of the thread. */
  expire(): void {
    const jobs: Job[] = [];
    for (let job = this.jobs.head; job !== null; job = job.next) jobs.push(job);
    for (const job of jobs) {
      try {
        // The end of a job may end other jobs.
        if (job.thread === this) job.onExpired();
      } catch (error) {
        job.onFault(error);
      }
    }
    this.#turns.request();
  }

  /** The job that has waited longest for the thread to begin it. */
  get oldestUnbegun(): Job | null {
    return this.#backlog.oldestUnbegun;
  }

  /** The newest job, if the thread has not begun it. */
  get unbegunTail(): Job | null {
    return this.#backlog.unbegunTail;
  }

  /** A job has sent something outside of a turn: the next turn publishes it. */
  requestTurn(): void {
    this.#turns.request();
  }

  /** Called when a send of this job found the ring full. `sendPending` is called when the ring has room. */
  waitForRoom(job: Job): void {
    this.#ringWaiters.add(job);
  }

  #release(job: Job): void {
    const slot = job.slot;
    this.#ringWaiters.delete(job);
    if (!this.#slots.release(slot) && this.state !== 'dead') {
      this.#fail(corrupt('a slot that is claimed or recalled', `slot ${slot}, which is not`));
    }
    this.#backlog.released(job);
    this.jobs.remove(job);
    job.state = 'released';
    job.thread = null;
    job.slot = -1;
    if (this.jobs.size === 0) this.idleSinceMs = this.#turns.nowMs;
  }

  onLastMessage(job: Job): void {
    if (this.channel.claims.stateOf(job.slot) !== ClaimState.Claimed) {
      throw corrupt('the end of an exchange that was begun', `one of slot ${job.slot}, which was not`);
    }
    this.#record(job);
    if (job.span !== null) job.span.released(this.vitals.begunUs(job.slot));
    const followedIn = this.isTraced && this.vitals.isFollowed(job.slot) ? job.slot : -1;
    this.#release(job);
    job.releasedAtMs = this.#turns.nowMs;
    this.#tellReleased(job);
    if (followedIn !== -1) job.onFollowed(this, followedIn, job.generation);
    this.#backlog.isAboutToBegin = true;
    this.#leaveLane(job);
    this.#tellOfRoom();
    this.#backlog.isAboutToBegin = false;
  }

  /** An error here is contained, as in `#tellOfRoom`. */
  #leaveLane({ lane }: Job): void {
    if (lane === null) return;
    try {
      lane.leave();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /**
   * `assign` handles a job that throws while it is given to a thread. Any other error here is a bug in the
   * dispatch itself and belongs to no job. It may end this thread, but not the turn with everything that
   * other threads have sent.
   */
  #tellOfRoom(): void {
    try {
      this.#owner.onRoom(this);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Before the job's slot is released. */
  #record(job: Job): void {
    const { nowMs, onJobEnded } = this.#turns;
    const claimUs = this.#times.record(job, nowMs, onJobEnded);
    if (job.isWaking) this.#backlog.learnWakeUp(claimUs);
  }

  #tellReleased(job: Job): void {
    try {
      job.onReleased();
    } catch (error) {
      blame(job, error);
    }
  }

  /**
   * Called when the thread is gone: the jobs that it had begun are lost.
   * @returns the unbegun jobs, oldest first, for other threads to run
   */
  die(): Job[] {
    this.state = 'dead';
    // Messages that the thread sent before it died are valid: a response that was complete stays complete.
    this.channel.lookAhead();
    while (this.channel.receive(1024) > 0);
    this.channel.close();
    const unbegun: Job[] = [];
    for (let job = this.jobs.head; job !== null; job = this.jobs.head) {
      const taken = this.channel.claims.recall(job.slot);
      if (!taken) {
        this.tally.lost++;
        this.casualties.lose(job);
        this.#record(job);
        if (job.span !== null) job.span.released(this.vitals.begunUs(job.slot));
      } else if (job.span !== null) job.span.recalled();
      this.#release(job);
      if (taken) {
        unbegun.push(job);
      } else {
        this.#tellReleased(job);
        this.#leaveLane(job);
      }
    }
    this.casualties.moved = unbegun.length;
    return unbegun;
  }

  // ---- what the thread reports

  onResponding(job: Job): void {
    this.#backlog.responding(job);
  }

  onWake(): void {
    this.#turns.request();
  }

  onRingRoom(): void {
    if (this.#ringWaiters.resume()) this.#tellOfRoom();
  }

  onCorrupt(error: Error): void {
    this.#fail(error);
  }

  /** The thread takes no more jobs until its owner has ended it. Other threads are not affected. */
  #fail(error: Error): void {
    if (this.state === 'ready') this.state = 'draining';
    this.#owner.onCorrupt(this, error);
  }
}
