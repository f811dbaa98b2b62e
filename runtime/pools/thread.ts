/**
 * One application thread as the reactor sees it: its channel end, its slots, and the jobs it has, in the order they
 * were given. It hands what the thread says to the job it is about, and takes a slot back with the FINAL message.
 *
 * The ring is first-in first-out and the thread claims in that order, so the jobs it has not begun are the tail of the
 * list. What the thread claims it does not tell: `oldestUnbegun` moves on when it is asked for, past each job once.
 *
 * How much a thread is given ahead follows from what its jobs are expected to cost, lane by lane, and from how many it begins. Work
 * that costs microseconds is given in depth, since a wake-up costs more than many of them. Of work that costs milliseconds it
 * gets what hides the wake-up, and behind work that costs more it gets nothing; the rest waits where any thread can take it.
 */

import type { MessagePort } from 'node:worker_threads';
import { type AtomicWords, hardwareAtomics } from '../../wire/atomics.ts';
import { type ChannelTransfer, createChannel } from '../../wire/channel.ts';
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import { corrupt } from '../../wire/decoder.ts';
import { WireError, WireErrorCode } from '../../wire/errors.ts';
import { Flag, type ReactorHandler } from '../../wire/messages.ts';
import { allocateProfileWords, ProfileWord } from '../../wire/profile-words.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import { elapsed, Vitals } from '../../wire/vitals.ts';
import { type Job, JobList, type Particulars } from './job.ts';
import { type JobRecord, Tally } from './tally.ts';

/** What a thread tells the pool that has it. */
export interface ThreadOwner {
  /** A slot has become free. */
  onRoom(thread: Thread): void;
  /** The thread wrote what no host writes, or closed its ring: it is to be ended. */
  onCorrupt(thread: Thread, error: Error): void;
}

/** The turn that moves what threads and sockets have produced. */
export interface Turns {
  /** There is something to publish or to receive. */
  request(): void;
  readonly nowMs: number;
  /** Hears of each job that a thread has ended; absent, or null: nobody wants to. */
  readonly onJobEnded?: ((job: JobRecord) => void) | null;
}

/** What a thread had when it died. */
export interface Casualties {
  /** The oldest of those that it had begun. */
  readonly first: readonly Particulars[];
  readonly more: number;
  /** What it had been given and had not begun, which others run. */
  readonly moved: number;
}

const NO_CASUALTIES: Casualties = { first: [], more: 0, moved: 0 };
const MOST_NAMED_CASUALTIES = 8;
/** The expected wait of a thread that is to be given nothing. */
export const NO_ROOM = 0x3fffffff;
/** A thread is given ahead what it is expected to have begun after so long, or after two wake-ups where these take longer. */
const SHORT_US = 1_000;
/** And one job, to hide the wake-up, when it is expected to begin that after so long. */
const ONE_AHEAD_US = 5_000;
/** Longer ones are not believed. */
const MOST_WAKE_UP_US = 50_000;
/** Durations are counted up to this. */
const MOST_US = 2 ** 32 - 1;
/** Of `clockMicroseconds`. */
const HALF_WRAP_MS = 2 ** 31 / 1000;

export class Thread implements ReactorHandler {
  readonly name: string;
  /** Shared with it; see `ProfileWord`. */
  readonly profile: SharedArrayBuffer = allocateProfileWords();
  readonly #profileWords = new Int32Array(this.profile);
  readonly channel: ReactorEnd;
  readonly transfer: ChannelTransfer;
  readonly transferList: readonly MessagePort[];
  readonly jobs = new JobList();
  readonly tally = new Tally();
  readonly vitals: Vitals;
  /** `starting` until its application is loaded; `draining` takes no more jobs; `dead` is final. */
  state: 'starting' | 'ready' | 'draining' | 'dead' = 'starting';
  /** What it had when it died. */
  casualties: Casualties = NO_CASUALTIES;
  /** When the thread last had nothing to do. */
  idleSinceMs = 0;
  /** When the thread last said something, which it does from its loop. */
  #heardAtMs = 0;
  /** Jobs that it has not begun, as far as `oldestUnbegun` has looked. */
  #unbegun = 0;
  /** Jobs whose response is under way: they compute little, and may last for hours. */
  #responding = 0;
  /** What the jobs are expected to cost that count as load, and those that it has not begun. */
  #loadUs = 0;
  #unbegunUs = 0;
  /** The job that it began last, unless that is over, as far as `oldestUnbegun` has looked. */
  #begunLast: Job | null = null;
  /** Twice what it takes to wake up lately. On a busy machine that is more than most work costs, and the measure of what is long. */
  #twoWakeUpsUs = 0;
  /** It has been refused work that it could begin once it has nothing to do. */
  #isHeldBack = false;
  /** Most jobs that it is given before it begins them. */
  #unbegunLimit = Number.POSITIVE_INFINITY;
  /** 1 while it is asked for more work because it has ended a job: it takes the next one before it could be given another. */
  #aboutToBegin = 0;
  #measuredAtMs = 0;
  #begunSinceMeasured = 0;
  readonly #slots: (Job | null)[];
  readonly #free: number[] = [];
  /** No job before it is unbegun; itself it may have been begun since. */
  #oldestUnbegun: Job | null = null;
  /** Jobs that met a full ring. */
  readonly #stuck = new Set<Job>();
  readonly #owner: ThreadOwner;
  readonly #turns: Turns;

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
    this.#slots = new Array<Job | null>(slots).fill(null);
    for (let slot = slots - 1; slot >= 0; slot--) this.#free.push(slot);
    const ring = { requestRingBytes: ringBytes, responseRingBytes: ringBytes, slots };
    const { reactor, transfer, transferList } = createChannel(this, ring, atomics);
    this.channel = reactor;
    this.transfer = transfer;
    this.vitals = new Vitals(transfer.vitals);
    this.transferList = transferList;
  }

  /** A profile of it runs, or no more. */
  setProfiled(isProfiled: boolean): void {
    Atomics.store(this.#profileWords, ProfileWord.Taken, 0);
    Atomics.store(this.#profileWords, ProfileWord.Running, isProfiled ? 1 : 0);
  }

  /** The thread, which ends, has given its profile away. */
  releaseFromProfile(): void {
    Atomics.store(this.#profileWords, ProfileWord.Taken, 1);
  }

  get outstanding(): number {
    return this.jobs.size;
  }

  /** Jobs with something to send to the thread, while both sides sleep. Above 0 is a fault of the server. */
  get stalledJobs(): number {
    if (!this.channel.isQuiet) return 0;
    let stalled = 0;
    for (let job = this.jobs.head; job !== null; job = job.next) if (job.isUnsent) stalled++;
    return this.channel.unpublishedBytes > 0 ? Math.max(1, stalled) : stalled;
  }

  /** How often and for how long the jobs that it has begun have waited for credit, and how many do now. */
  openStalls(nowUs: number): { readonly now: number; readonly stalls: number; readonly stalledUs: number } {
    let [now, stalls, stalledUs] = [0, 0, 0];
    for (let job = this.jobs.head; job !== null; job = job.next) {
      if (this.channel.claims.stateOf(job.slot) !== ClaimState.Claimed) continue;
      if (this.vitals.isStalled(job.slot)) now++;
      stalls += this.vitals.stalls(job.slot);
      stalledUs += this.vitals.stalledUs(job.slot, nowUs);
    }
    return { now, stalls, stalledUs };
  }

  /** When the thread last said something. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** What it has begun and not ended, as far as the reactor has heard, oldest first. */
  *begunJobs(): Generator<Job> {
    for (let job = this.jobs.head; job !== null; job = job.next) {
      if (this.channel.claims.stateOf(job.slot) === ClaimState.Claimed) yield job;
    }
  }

  /**
   * The job whose code the thread runs, if it runs any: the one that it was called for and that has not returned, or the only one
   * that it has begun. Null: it may be any of several.
   */
  get runningJob(): Job | null {
    const within = this.#slots[this.vitals.within] ?? null;
    if (within !== null) return within;
    let only: Job | null = null;
    for (const job of this.begunJobs()) {
      if (only !== null) return null;
      only = job;
    }
    return only;
  }

  /** The job keeps the thread from its loop for longer than it may. */
  overrun(job: Job): void {
    try {
      job.onOverrun();
    } catch (error) {
      this.#fault(job, error);
    }
  }

  /** Since the thread began what it began first of what it has; null: it has begun nothing. */
  longestRunningUs(nowMs: number): number | null {
    let longest: number | null = null;
    for (let job = this.jobs.head; job !== null; job = job.next) {
      if (this.channel.claims.stateOf(job.slot) !== ClaimState.Claimed) continue;
      longest = Math.max(longest ?? 0, this.#runningUs(job, nowMs));
    }
    return longest;
  }

  /** Since the thread began a job. Its word for that wraps: of a job that lasts for longer it is the time since its assignment. */
  #runningUs({ slot, assignedAtMs }: Job, nowMs: number): number {
    return nowMs - assignedAtMs > HALF_WRAP_MS
      ? Math.min(MOST_US, (nowMs - assignedAtMs) * 1000) >>> 0
      : elapsed(this.vitals.begunUs(slot), clockMicroseconds(nowMs));
  }

  /** What counts when threads are compared: not the jobs that only have a response under way, such as idle WebSockets. */
  get load(): number {
    return this.jobs.size - this.#responding;
  }

  /** A slot, few enough jobs that it has not begun, and nothing that is expected to keep it from them for long. */
  get hasRoom(): boolean {
    return this.expectedWaitUs() !== NO_ROOM;
  }

  /** For how long a job that it is given now is expected to wait until it is begun, in microseconds; `NO_ROOM`: for too long. */
  expectedWaitUs(): number {
    if (this.state !== 'ready' || this.#free.length === 0) return NO_ROOM;
    const limit = this.#unbegunLimit + this.#aboutToBegin;
    if (this.#unbegun >= limit) {
      this.#passBegun();
      if (this.#unbegun >= limit) return NO_ROOM;
    }
    // The most that it can be.
    if (this.#loadUs <= SHORT_US) return this.#loadUs;
    this.#passBegun();
    const waitUs = this.#acceptableWaitUs();
    if (waitUs !== NO_ROOM || this.#isHeldBack) return waitUs;
    this.#isHeldBack = true;
    this.vitals.holdBack();
    // It may have gone to sleep before it could see that.
    return this.#acceptableWaitUs();
  }

  #acceptableWaitUs(): number {
    const remainingUs = this.channel.peerSleeps ? 0 : this.#remainingUs();
    const waitUs = this.#unbegunUs + remainingUs;
    // When it computes nothing, the one that waits is as good as begun.
    const isNext = this.#unbegun <= (remainingUs === 0 ? 1 : 0);
    return waitUs <= Math.max(isNext ? ONE_AHEAD_US : SHORT_US, this.#twoWakeUpsUs) ? waitUs : NO_ROOM;
  }

  /** Of the job that it computes. When a heavy one ends nobody knows, and one that has taken longer than expected may well take as long again. */
  #remainingUs(): number {
    const job = this.#begunLast;
    if (job === null || this.vitals.computedUs(job.slot) !== 0) return 0;
    if (job.costUs > Math.max(ONE_AHEAD_US, this.#twoWakeUpsUs)) return NO_ROOM;
    const passedUs = elapsed(this.vitals.begunUs(job.slot), clockMicroseconds(this.#turns.nowMs));
    return Math.max(job.costUs - passedUs, passedUs);
  }

  get freeSlots(): number {
    return this.#free.length;
  }

  /** Jobs beyond what the thread is to be given ahead. */
  get excess(): number {
    this.#passBegun();
    return Math.max(0, this.#unbegun - this.#unbegunLimit);
  }

  get unbegunJobs(): number {
    this.#passBegun();
    return this.#unbegun;
  }

  /**
   * It has jobs, is awake, and has neither said anything nor begun anything since then: it computes, and what it is given may
   * wait for long. A job that it was given since then it may begin any moment, and when it has begun all, its loop tells. Where the machine keeps
   * threads from their cores for longer than that, silence for as long says nothing.
   */
  isStalled(silentSinceMs: number): boolean {
    const sinceMs = Math.min(silentSinceMs, this.#turns.nowMs - this.#twoWakeUpsUs / 1000);
    if (this.#heardAtMs > sinceMs || this.jobs.size === 0 || this.channel.peerSleeps) return false;
    const waiting = this.oldestUnbegun;
    if (waiting !== null) return waiting.assignedAtMs <= sinceMs;
    const { nowMs } = this.#turns;
    return this.vitals.turnAgeUs(clockMicroseconds(nowMs)) >= (nowMs - sinceMs) * 1000;
  }

  /** Takes what the thread has said; how many messages. */
  receive(limit: number, limitBytes: number): number {
    const received = this.channel.receive(limit, limitBytes);
    if (received > 0) this.#heardAtMs = this.#turns.nowMs;
    if (this.#isHeldBack) this.#lookAgain();
    return received;
  }

  /** It may have begun all that kept it from more. */
  #lookAgain(): void {
    if (this.expectedWaitUs() === NO_ROOM) return;
    this.#isHeldBack = false;
    this.#tellOfRoom();
  }

  /**
   * Sets what the thread is given ahead: what it begins in `aheadMs`. Only a thread that was never without work shows how
   * fast it is; one that has begun all it had is given more.
   */
  measure(aheadMs: number): void {
    const now = this.#turns.nowMs;
    const elapsedMs = now - this.#measuredAtMs;
    if (elapsedMs < aheadMs) return;
    const waiting = this.oldestUnbegun;
    const begun = this.#begunSinceMeasured;
    if (waiting !== null && waiting.assignedAtMs <= this.#measuredAtMs) {
      this.#unbegunLimit = Math.max(1, Math.ceil((begun * aheadMs) / elapsedMs));
    } else if (begun >= this.#unbegunLimit) {
      this.#unbegunLimit = 2 * begun;
    }
    this.#measuredAtMs = now;
    this.#begunSinceMeasured = 0;
  }

  /**
   * Gives a job to the thread; false when the ring is full, and nothing has changed. A job that cannot be sent is dealt with: it
   * hears of its fault, and belongs to nobody.
   */
  assign(job: Job): boolean {
    const slot = this.#free.pop() as number;
    const claims = this.channel.claims;
    const generation = claims.queue(slot);
    if (generation === -1) {
      this.#fail(corrupt('a free slot', `slot ${slot}, which the thread has taken`));
      return false;
    }
    let isSent = false;
    try {
      isSent = job.sendOpen(this, slot, generation);
    } catch (error) {
      this.#giveBack(slot);
      job.state = 'released';
      job.onFault(error);
      if (job.lane !== null) job.lane.leave();
      return true;
    }
    if (!isSent) {
      this.#giveBack(slot);
      return false;
    }
    this.#slots[slot] = job;
    job.state = 'assigned';
    job.thread = this;
    job.slot = slot;
    job.generation = generation;
    job.assignedAtMs = this.#turns.nowMs;
    job.hasResponded = false;
    job.isUnbegun = true;
    job.costUs = job.lane === null ? 0 : job.lane.costUs;
    this.#loadUs += job.costUs;
    this.#unbegunUs += job.costUs;
    if (job.span !== null) job.span.assigned(this.name);
    // It has run out of work while it was held short, and work that waits for something else ends without a word.
    job.isWaking = this.#unbegun === 0 && this.channel.peerSleeps;
    if (job.isWaking) this.#unbegunLimit = Number.POSITIVE_INFINITY;
    this.#unbegun++;
    this.jobs.push(job);
    this.#oldestUnbegun ??= job;
    this.#turns.request();
    return true;
  }

  /** A slot that was queued and whose OPEN was not sent. */
  #giveBack(slot: number): void {
    this.channel.claims.recall(slot);
    this.channel.claims.release(slot);
    this.#free.push(slot);
  }

  /** Whether `adopt` would take a job now. */
  get canAdopt(): boolean {
    return this.state !== 'dead' && this.#free.length > 0;
  }

  /**
   * A job that the thread itself has asked for, and has begun with that: it is claimed for the thread, so it never moves. The
   * job tells the thread its slot. False: the claim table is not as it must be, and the thread is to be ended.
   */
  adopt(job: Job): boolean {
    const slot = this.#free.pop() as number;
    const { claims } = this.channel;
    const generation = claims.queue(slot);
    if (generation === -1 || !claims.claim(slot, generation)) {
      this.#fail(corrupt('a free slot', `slot ${slot}, which the thread has taken`));
      return false;
    }
    this.#slots[slot] = job;
    job.state = 'assigned';
    job.thread = this;
    job.slot = slot;
    job.generation = generation;
    job.admittedAtMs = this.#turns.nowMs;
    job.assignedAtMs = job.admittedAtMs;
    this.vitals.begin(slot, clockMicroseconds(job.assignedAtMs));
    job.hasResponded = false;
    job.isWaking = false;
    job.costUs = 0;
    // In front, among what has been begun.
    this.jobs.unshift(job);
    this.#turns.request();
    return true;
  }

  /** Takes a job back that the thread has not begun. False: it has. */
  takeBack(job: Job): boolean {
    if (!this.channel.claims.recall(job.slot)) return false;
    // Not one that was begun.
    this.#begunSinceMeasured--;
    if (job.span !== null) job.span.recalled();
    this.#release(job);
    return true;
  }

  /** Takes back all that the thread has not begun, oldest first. */
  takeUnbegun(): Job[] {
    const taken: Job[] = [];
    for (let job = this.unbegunTail; job !== null && this.takeBack(job); job = this.unbegunTail) {
      taken.unshift(job);
    }
    return taken;
  }

  /** What it has is waited for no longer. */
  expire(): void {
    const jobs: Job[] = [];
    for (let job = this.jobs.head; job !== null; job = job.next) jobs.push(job);
    for (const job of jobs) {
      try {
        // One that ends may end others with it.
        if (job.thread === this) job.onExpired();
      } catch (error) {
        job.onFault(error);
      }
    }
    this.#turns.request();
  }

  /** The job that has waited longest for the thread to begin it. */
  get oldestUnbegun(): Job | null {
    this.#passBegun();
    return this.#oldestUnbegun;
  }

  #passBegun(): void {
    const { claims } = this.channel;
    let job = this.#oldestUnbegun;
    while (job !== null && claims.stateOf(job.slot) !== ClaimState.Queued) {
      this.#countBegun(job);
      this.#begunLast = job;
      job = job.next;
    }
    this.#oldestUnbegun = job;
  }

  #countBegun(job: Job): void {
    if (!job.isUnbegun) return;
    job.isUnbegun = false;
    this.#unbegun--;
    this.#unbegunUs -= job.costUs;
    this.#begunSinceMeasured++;
  }

  /** The newest job, when the thread has not begun it. */
  get unbegunTail(): Job | null {
    const tail = this.jobs.tail;
    return tail !== null && this.channel.claims.stateOf(tail.slot) === ClaimState.Queued ? tail : null;
  }

  /** A job has sent something outside of a turn: the next one publishes it. */
  requestTurn(): void {
    this.#turns.request();
  }

  /** A send of this job met the ring full: it is called again when there is room. */
  waitForRoom(job: Job): void {
    this.#stuck.add(job);
  }

  #release(job: Job): void {
    const slot = job.slot;
    this.#slots[slot] = null;
    this.#stuck.delete(job);
    if (!this.channel.claims.release(slot) && this.state !== 'dead') {
      this.#fail(corrupt('a slot that is claimed or recalled', `slot ${slot}, which is not`));
    }
    this.#free.push(slot);
    this.#countBegun(job);
    if (job.hasResponded) this.#responding--;
    else this.#loadUs -= job.costUs;
    if (this.#begunLast === job) this.#begunLast = null;
    if (this.#oldestUnbegun === job) this.#oldestUnbegun = job.next;
    this.jobs.remove(job);
    job.state = 'released';
    job.thread = null;
    job.slot = -1;
    if (this.jobs.size === 0) this.idleSinceMs = this.#turns.nowMs;
  }

  #finish(job: Job): void {
    if (this.channel.claims.stateOf(job.slot) !== ClaimState.Claimed) {
      throw corrupt('the end of an exchange that was begun', `one of slot ${job.slot}, which was not`);
    }
    this.#record(job);
    if (job.span !== null) job.span.released(this.vitals.begunUs(job.slot));
    this.#release(job);
    this.#tellReleased(job);
    this.#aboutToBegin = 1;
    this.#leaveLane(job);
    this.#tellOfRoom();
    this.#aboutToBegin = 0;
  }

  /** Contained as below. */
  #leaveLane({ lane }: Job): void {
    if (lane === null) return;
    try {
      lane.leave();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /**
   * A job that breaks off while it is given to this thread is dealt with by `assign`. What is thrown all the same is an error in how jobs
   * are handed on, which belongs to no job: it may cost this thread, and not the turn with all that others have said.
   */
  #tellOfRoom(): void {
    try {
      this.#owner.onRoom(this);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Before its slot is released. */
  #record(job: Job): void {
    const { tally, vitals } = this;
    const { nowMs, onJobEnded } = this.#turns;
    const { slot, admittedAtMs, assignedAtMs } = job;
    const claimUs = elapsed(clockMicroseconds(assignedAtMs), vitals.begunUs(slot));
    const stalls = vitals.stalls(slot);
    tally.ended++;
    tally.queueWait.record(Math.min(MOST_US, (assignedAtMs - admittedAtMs) * 1000) >>> 0);
    tally.claimWait.record(claimUs);
    if (job.isWaking) this.#learnWakeUp(claimUs);
    tally.service.record(this.#runningUs(job, nowMs));
    const computedUs = vitals.computedUs(slot);
    // 0: it says so in a moment, which is too late here. The next job is in time.
    if (job.lane !== null && computedUs !== 0) job.lane.record(computedUs);
    let stalledUs = 0;
    if (stalls > 0) {
      stalledUs = vitals.stalledUs(slot, clockMicroseconds(nowMs));
      tally.creditStalls += stalls;
      tally.creditStalledUs += stalledUs;
    }
    if (onJobEnded) this.#tellEnded(onJobEnded, job, claimUs, stalledUs);
  }

  #learnWakeUp(us: number): void {
    this.#twoWakeUpsUs += (2 * Math.min(us, MOST_WAKE_UP_US) - this.#twoWakeUpsUs) / 8;
  }

  #tellEnded(tell: (record: JobRecord) => void, job: Job, claimUs: number, stalledUs: number): void {
    const { admittedAtMs: admittedMs, assignedAtMs: assignedMs } = job;
    const begunMs = assignedMs + claimUs / 1000;
    tell({
      thread: this.name,
      admittedMs,
      assignedMs,
      begunMs,
      endedMs: Math.max(begunMs, this.#turns.nowMs),
      creditStalledMs: stalledUs / 1000,
    });
  }

  #tellReleased(job: Job): void {
    try {
      job.onReleased();
    } catch (error) {
      this.#fault(job, error);
    }
  }

  /**
   * What a job throws is one of two things: the thread said what it may not say, which the channel notices, or there is an
   * error of ours. That one may cost the job and what belongs to it, but not the turn, nor the messages behind this one.
   */
  #fault(job: Job, error: unknown): void {
    if (error instanceof WireError && error.code === WireErrorCode.Corrupt) throw error;
    job.onFault(error);
  }

  /** The thread is gone. Its unbegun jobs, oldest first, for others to run; the begun ones are lost. */
  die(): Job[] {
    this.state = 'dead';
    const first: Particulars[] = [];
    let lost = 0;
    // What it published before it died is as good as ever: a response that was complete is complete.
    while (this.channel.receive(1024) > 0);
    this.channel.close();
    const unbegun: Job[] = [];
    for (let job = this.jobs.head; job !== null; job = this.jobs.head) {
      const taken = this.channel.claims.recall(job.slot);
      if (!taken) {
        this.tally.lost++;
        if (lost++ < MOST_NAMED_CASUALTIES) first.push(job.particulars);
        this.#record(job);
        if (job.span !== null) job.span.released(this.vitals.begunUs(job.slot));
      } else if (job.span !== null) job.span.recalled();
      this.#release(job);
      if (taken) {
        unbegun.push(job);
      } else {
        this.#tellReleased(job);
        this.#tellLost(job);
        this.#leaveLane(job);
      }
    }
    this.casualties = { first, more: lost - first.length, moved: unbegun.length };
    return unbegun;
  }

  #tellLost(job: Job): void {
    try {
      job.onLost();
    } catch (error) {
      this.#fault(job, error);
    }
  }

  // ---- ReactorHandler: a slot without a job is a thread that speaks after its FINAL message; nobody is harmed.

  onHead(
    slot: number,
    flags: number,
    status: number,
    fields: readonly string[],
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    this.tally.responseBytes += end - start;
    try {
      job.onHead(flags, status, fields, bytes, start, end);
    } catch (error) {
      this.#fault(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#finish(job);
    else if (!job.hasResponded) {
      job.hasResponded = true;
      this.#responding++;
      this.#loadUs -= job.costUs;
    }
  }

  onInform(slot: number, status: number, fields: string[]): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onInform(status, fields);
    } catch (error) {
      this.#fault(job, error);
    }
  }

  onData(slot: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    this.tally.responseBytes += end - start;
    try {
      job.onData(flags, bytes, start, end);
    } catch (error) {
      this.#fault(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#finish(job);
  }

  onTrailers(slot: number, flags: number, fields: string[]): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onTrailers(fields);
    } catch (error) {
      this.#fault(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#finish(job);
  }

  onCredit(slot: number, granted: number, consumed: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onCredit(granted, consumed);
    } catch (error) {
      this.#fault(job, error);
    }
  }

  onReset(slot: number, flags: number, code: number, reason: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onReset(code, reason);
    } catch (error) {
      this.#fault(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#finish(job);
  }

  onClosed(slot: number): void {
    const job = this.#slots[slot];
    if (job !== null && job !== undefined) this.#finish(job);
  }

  onPush(slot: number, number: number, method: string, path: string, fields: string[]): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onPush(number, method, path, fields);
    } catch (error) {
      this.#fault(job, error);
    }
  }

  onPad(slot: number, toMultipleOf: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onPad(toMultipleOf);
    } catch (error) {
      this.#fault(job, error);
    }
  }

  onWake(): void {
    this.#turns.request();
  }

  onWritable(): void {
    for (const job of this.#stuck) {
      this.#stuck.delete(job);
      if (this.#isStillStuck(job)) {
        this.#stuck.add(job);
        return;
      }
    }
    this.#tellOfRoom();
  }

  #isStillStuck(job: Job): boolean {
    try {
      return !job.onWritable();
    } catch (error) {
      this.#fault(job, error);
      return false;
    }
  }

  onCorrupt(error: Error): void {
    this.#fail(error);
  }

  /** Takes no more jobs until its owner has ended it; nobody else is harmed. */
  #fail(error: Error): void {
    if (this.state === 'ready') this.state = 'draining';
    this.#owner.onCorrupt(this, error);
  }
}
