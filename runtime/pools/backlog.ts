/**
 * What a thread has been given and has not begun, and how much more it is given.
 *
 * The ring is first-in first-out and the thread claims in that order, so the jobs it has not begun are the tail of its
 * list. What the thread claims it does not tell: `oldestUnbegun` moves on when it is asked for, past each job once.
 *
 * How much a thread is given ahead follows from what its jobs are expected to cost, lane by lane, and from how many it begins. Work
 * that costs microseconds is given in depth, since a wake-up costs more than many of them. Of work that costs milliseconds it
 * gets what hides the wake-up, and behind work that costs more it gets nothing; the rest waits where any thread can take it.
 */
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import { elapsed, type Vitals } from '../../wire/vitals.ts';
import type { Job, JobList } from './job.ts';

/** The expected wait of a thread that is to be given nothing. */
export const NO_ROOM = 0x3fffffff;
/** A thread is given ahead what it is expected to have begun after so long, or after two wake-ups where these take longer. */
const SHORT_US = 1_000;
/** And one job, to hide the wake-up, when it is expected to begin that after so long. */
const ONE_AHEAD_US = 5_000;
/** Longer ones are not believed. */
const MOST_WAKE_UP_US = 50_000;

export class Backlog {
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
  /** No job before it is unbegun; itself it may have been begun since. */
  #oldestUnbegun: Job | null = null;
  readonly #channel: ReactorEnd;
  readonly #vitals: Vitals;
  readonly #jobs: JobList;
  readonly #clock: { readonly nowMs: number };

  /** @param jobs all that the thread has, in the order in which it was given them. @param clock the reactor's */
  constructor(channel: ReactorEnd, vitals: Vitals, jobs: JobList, clock: { readonly nowMs: number }) {
    this.#channel = channel;
    this.#vitals = vitals;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  // ---- what becomes of its jobs

  /** The thread is given the job, which is about to be the last of its jobs. */
  assigned(job: Job): void {
    job.hasResponded = false;
    job.isUnbegun = true;
    job.costUs = job.lane === null ? 0 : job.lane.costUs;
    this.#loadUs += job.costUs;
    this.#unbegunUs += job.costUs;
    // It has run out of work while it was held short, and work that waits for something else ends without a word.
    job.isWaking = this.#unbegun === 0 && this.#channel.peerSleeps;
    if (job.isWaking) this.#unbegunLimit = Number.POSITIVE_INFINITY;
    this.#unbegun++;
    this.#oldestUnbegun ??= job;
  }

  /** The thread has sent the head of a response that goes on. */
  responding(job: Job): void {
    if (job.hasResponded) return;
    job.hasResponded = true;
    this.#responding++;
    this.#loadUs -= job.costUs;
  }

  /** The job is taken back, and not one that was begun. */
  recalled(): void {
    this.#begunSinceMeasured--;
  }

  /** The thread is rid of the job, which is still in the list of its jobs. */
  released(job: Job): void {
    this.#countBegun(job);
    if (job.hasResponded) this.#responding--;
    else this.#loadUs -= job.costUs;
    if (this.#begunLast === job) this.#begunLast = null;
    if (this.#oldestUnbegun === job) this.#oldestUnbegun = job.next;
  }

  /** The thread has ended a job: while it is asked for more work, it is about to begin the next. */
  set isAboutToBegin(isAboutTo: boolean) {
    this.#aboutToBegin = isAboutTo ? 1 : 0;
  }

  /** It took so long to wake up. */
  learnWakeUp(us: number): void {
    this.#twoWakeUpsUs += (2 * Math.min(us, MOST_WAKE_UP_US) - this.#twoWakeUpsUs) / 8;
  }

  // ---- how much more

  /** What counts when threads are compared: not the jobs that only have a response under way, such as idle WebSockets. */
  get load(): number {
    return this.#jobs.size - this.#responding;
  }

  /** Whether it was refused work that it could begin by now; it is asked about when the thread has said something. */
  get isHeldBack(): boolean {
    return this.#isHeldBack;
  }

  /** Something waits that it could not be given: it tells when it goes to sleep. */
  holdBack(): void {
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    this.#vitals.holdBack();
  }

  holdBackNoLonger(): void {
    this.#isHeldBack = false;
  }

  /** For how long a job that it is given now is expected to wait until it is begun, in microseconds; `NO_ROOM`: for too long. */
  expectedWaitUs(): number {
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
    this.holdBack();
    // It may have gone to sleep before it could see that.
    return this.#acceptableWaitUs();
  }

  #acceptableWaitUs(): number {
    const remainingUs = this.#channel.peerSleeps ? 0 : this.#remainingUs();
    const waitUs = this.#unbegunUs + remainingUs;
    // When it computes nothing, the one that waits is as good as begun.
    const isNext = this.#unbegun <= (remainingUs === 0 ? 1 : 0);
    return waitUs <= Math.max(isNext ? ONE_AHEAD_US : SHORT_US, this.#twoWakeUpsUs) ? waitUs : NO_ROOM;
  }

  /** Of the job that it computes. When a heavy one ends nobody knows, and one that has taken longer than expected may well take as long again. */
  #remainingUs(): number {
    const job = this.#begunLast;
    if (job === null || this.#vitals.computedUs(job.slot) !== 0) return 0;
    if (job.costUs > Math.max(ONE_AHEAD_US, this.#twoWakeUpsUs)) return NO_ROOM;
    const passedUs = elapsed(this.#vitals.begunUs(job.slot), clockMicroseconds(this.#clock.nowMs));
    return Math.max(job.costUs - passedUs, passedUs);
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
   * It is awake, and has neither said anything nor begun anything since then: it computes, for a job or behind one that it has answered, and
   * what it is given may wait for long. A job that it was given since then it may begin any moment, and when it has begun all, its loop tells.
   * Where the machine keeps threads from their cores for longer than that, silence for as long says nothing.
   * @param heardAtMs when it last said something
   */
  isStalled(heardAtMs: number, silentSinceMs: number): boolean {
    const sinceMs = Math.min(silentSinceMs, this.#clock.nowMs - this.#twoWakeUpsUs / 1000);
    if (heardAtMs > sinceMs || this.#channel.peerSleeps) return false;
    const waiting = this.oldestUnbegun;
    if (waiting !== null) return waiting.assignedAtMs <= sinceMs;
    const { nowMs } = this.#clock;
    return this.#vitals.turnAgeUs(clockMicroseconds(nowMs)) >= (nowMs - sinceMs) * 1000;
  }

  /**
   * Sets what the thread is given ahead: what it begins in `aheadMs`. Only a thread that was never without work shows how
   * fast it is; one that has begun all it had is given more.
   */
  measure(aheadMs: number): void {
    const now = this.#clock.nowMs;
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

  /** The job that has waited longest for the thread to begin it. */
  get oldestUnbegun(): Job | null {
    this.#passBegun();
    return this.#oldestUnbegun;
  }

  #passBegun(): void {
    const { claims } = this.#channel;
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
    const tail = this.#jobs.tail;
    return tail !== null && this.#channel.claims.stateOf(tail.slot) === ClaimState.Queued ? tail : null;
  }
}
