/**
 * The jobs that a thread has been given and has not begun, and how many more it is given.
 *
 * The ring is first-in first-out and the thread claims in that order, so the unbegun jobs are the tail of the
 * thread's list. A thread does not report its claims: `oldestUnbegun` reads the claim table when it is asked,
 * and passes each job once.
 *
 * How much a thread is given ahead depends on what its jobs are expected to cost, lane by lane, and on how
 * many it begins. Jobs that cost microseconds are given in depth, because one wake-up costs more than many of
 * them. Of jobs that cost milliseconds, the thread gets just enough to hide the wake-up. Behind a job that
 * costs more, it gets nothing. All other jobs wait where any thread can take them.
 */
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import { elapsed, type Vitals } from '../../wire/vitals.ts';
import type { Job, JobList } from './job.ts';

/** The expected wait at a thread that should get no job. */
export const NO_ROOM = 0x3fffffff;
/**
 * A thread is given jobs ahead if it is expected to begin them within this time, or within two wake-ups if
 * that is longer.
 */
const SHORT_US = 1_000;
/**
 * A thread may have one job ahead, to hide the wake-up, if it is expected to begin that job within this time.
 */
const ONE_AHEAD_US = 5_000;
/** A longer wake-up is an outlier and counts as this one. */
const MOST_WAKE_UP_US = 50_000;

export class Backlog {
  /** Jobs that the thread has not begun, as of the last look by `#passBegun`. */
  #unbegun = 0;
  /** Jobs whose response has begun and continues. They compute little, and may last for hours. */
  #responding = 0;
  /** The expected cost of the jobs that count as load, and of the unbegun jobs. */
  #loadUs = 0;
  #unbegunUs = 0;
  /** The job that the thread began last, as of the last look by `#passBegun`; null: that job is over. */
  #begunLast: Job | null = null;
  /**
   * Twice the thread's recent wake-up time. On a busy machine that is more than most jobs cost, so it is the
   * measure of a long job.
   */
  #twoWakeUpsUs = 0;
  /** True if the thread was refused a job that it could begin once it has nothing to do. */
  #isHeldBack = false;
  /** The most jobs that the thread is given before it begins them. */
  #unbegunLimit = Number.POSITIVE_INFINITY;
  /**
   * 1 while the thread is asked for more work because it has ended a job: it begins its next job before it
   * could be given another.
   */
  #aboutToBegin = 0;
  #measuredAtMs = 0;
  #begunSinceMeasured = 0;
  /** Every job before this one has been begun. The job itself may have been begun since the last look. */
  #oldestUnbegun: Job | null = null;
  readonly #channel: ReactorEnd;
  readonly #vitals: Vitals;
  readonly #jobs: JobList;
  readonly #clock: { readonly nowMs: number };

  /**
   * @param jobs all jobs of the thread, in the order in which it was given them
   * @param clock the reactor's
   */
  constructor(channel: ReactorEnd, vitals: Vitals, jobs: JobList, clock: { readonly nowMs: number }) {
    this.#channel = channel;
    this.#vitals = vitals;
    this.#jobs = jobs;
    this.#clock = clock;
  }

  // ---- what happens to its jobs

  /** Called when the thread is given a job, which is about to be appended to its list. */
  assigned(job: Job): void {
    job.hasResponded = false;
    job.isUnbegun = true;
    job.costUs = job.lane === null ? 0 : job.lane.costUs;
    this.#loadUs += job.costUs;
    this.#unbegunUs += job.costUs;
    // The thread has run out of work because of the limit, so the limit is lifted.
    job.isWaking = this.#unbegun === 0 && this.#channel.peerSleeps;
    if (job.isWaking) this.#unbegunLimit = Number.POSITIVE_INFINITY;
    this.#unbegun++;
    this.#oldestUnbegun ??= job;
  }

  /** The thread has sent the head of a response that continues. */
  responding(job: Job): void {
    if (job.hasResponded) return;
    job.hasResponded = true;
    this.#responding++;
    this.#loadUs -= job.costUs;
  }

  /** Called when the job is taken back. It does not count as begun. */
  recalled(job: Job): void {
    this.#begunSinceMeasured--;
    if (!job.isWaking) return;
    // The thread's wake-up takes at least this long. If the reactor did not know that, it would take every
    // job back from every thread just before the thread wakes up, on a machine whose wake-ups take longer
    // than `recallAfterMs`.
    const waitedUs = (this.#clock.nowMs - job.assignedAtMs) * 1000;
    if (2 * waitedUs > this.#twoWakeUpsUs) this.learnWakeUp(waitedUs);
  }

  /** The thread no longer has the job, which is still in the list of its jobs. */
  released(job: Job): void {
    this.#countBegun(job);
    if (job.hasResponded) this.#responding--;
    else this.#loadUs -= job.costUs;
    if (this.#begunLast === job) this.#begunLast = null;
    if (this.#oldestUnbegun === job) this.#oldestUnbegun = job.next;
  }

  /** The thread has ended a job. While it is asked for more work, it is about to begin the next. */
  set isAboutToBegin(isAboutTo: boolean) {
    this.#aboutToBegin = isAboutTo ? 1 : 0;
  }

  /** The thread took this long to wake up. */
  learnWakeUp(us: number): void {
    this.#twoWakeUpsUs += (2 * Math.min(us, MOST_WAKE_UP_US) - this.#twoWakeUpsUs) / 8;
  }

  // ---- how much more

  /**
   * The load by which threads are compared. Jobs whose response has begun and continues, such as idle
   * WebSockets, do not count.
   */
  get load(): number {
    return this.#jobs.size - this.#responding;
  }

  /**
   * True if the thread was refused a job that it may be able to begin by now. Checked whenever the thread has
   * sent something.
   */
  get isHeldBack(): boolean {
    return this.#isHeldBack;
  }

  /**
   * A job waits because the thread could not take it. The thread is asked to report when it goes to sleep.
   */
  holdBack(): void {
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    this.#vitals.holdBack();
  }

  holdBackNoLonger(): void {
    this.#isHeldBack = false;
  }

  /**
   * How long a job that the thread is given now is expected to wait until it begins, in microseconds;
   * `NO_ROOM`: for too long.
   */
  expectedWaitUs(): number {
    const limit = this.#unbegunLimit + this.#aboutToBegin;
    if (this.#unbegun >= limit) {
      this.#passBegun();
      if (this.#unbegun >= limit) return NO_ROOM;
    }
    // This is an upper bound, which needs no look at the claim table.
    if (this.#loadUs <= SHORT_US) return this.#loadUs;
    this.#passBegun();
    const waitUs = this.#acceptableWaitUs();
    if (waitUs !== NO_ROOM || this.#isHeldBack) return waitUs;
    this.holdBack();
    // The thread may have gone to sleep before it could see the request to report.
    return this.#acceptableWaitUs();
  }

  #acceptableWaitUs(): number {
    const remainingUs = this.#channel.peerSleeps ? 0 : this.#remainingUs();
    const waitUs = this.#unbegunUs + remainingUs;
    // If the thread computes nothing, its first unbegun job begins at once.
    const isNext = this.#unbegun <= (remainingUs === 0 ? 1 : 0);
    return waitUs <= Math.max(isNext ? ONE_AHEAD_US : SHORT_US, this.#twoWakeUpsUs) ? waitUs : NO_ROOM;
  }

  /**
   * The expected rest of the job that the thread computes. The end of a heavy job cannot be predicted: a job
   * that has taken longer than expected may well take as long again.
   */
  #remainingUs(): number {
    const job = this.#begunLast;
    if (job === null || this.#vitals.computedUs(job.slot) !== 0) return 0;
    if (job.costUs > Math.max(ONE_AHEAD_US, this.#twoWakeUpsUs)) return NO_ROOM;
    const passedUs = elapsed(this.#vitals.begunUs(job.slot), clockMicroseconds(this.#clock.nowMs));
    return Math.max(job.costUs - passedUs, passedUs);
  }

  /** The thread has begun all its jobs, as of the last look. */
  get isOutOfWork(): boolean {
    return this.#unbegun === 0;
  }

  /** The thread will not begin its next job within a millisecond, because of the job that it computes. */
  get isLate(): boolean {
    if (this.#unbegun === 0) return false;
    this.#passBegun();
    return this.#unbegun > 0 && !this.#channel.peerSleeps && this.#remainingUs() > SHORT_US;
  }

  /** A job that the thread is given now is expected to begin within a millisecond. */
  get canBeginSoon(): boolean {
    return this.expectedWaitUs() <= SHORT_US;
  }

  /** Jobs beyond the limit of what the thread is given ahead. */
  get excess(): number {
    this.#passBegun();
    return Math.max(0, this.#unbegun - this.#unbegunLimit);
  }

  get unbegunJobs(): number {
    this.#passBegun();
    return this.#unbegun;
  }

  /**
   * True if the thread is awake, and has neither sent nor begun anything since then. It computes, for a job
   * or after one whose response it has sent, and new jobs may wait for long. A job that the thread was given
   * since then does not count, because it may begin any moment; and once the thread has begun all its jobs,
   * the age of its turn decides. If the machine keeps threads off their cores for longer than that, such a
   * silence means nothing.
   * @param heardAtMs when the thread last sent something
   */
  isStalled(heardAtMs: number, silentSinceMs: number): boolean {
    const sinceMs = this.#beforeWakeUps(silentSinceMs);
    if (heardAtMs > sinceMs || this.#channel.peerSleeps) return false;
    const waiting = this.oldestUnbegun;
    if (waiting !== null) return waiting.assignedAtMs <= sinceMs;
    const { nowMs } = this.#clock;
    return this.#vitals.turnAgeUs(clockMicroseconds(nowMs)) >= (nowMs - sinceMs) * 1000;
  }

  /** True if a job has waited for the thread since then, and for longer than two wake-ups. */
  keepsWaitingSince(sinceMs: number): boolean {
    const waiting = this.oldestUnbegun;
    return waiting !== null && waiting.assignedAtMs <= this.#beforeWakeUps(sinceMs);
  }

  #beforeWakeUps(sinceMs: number): number {
    return Math.min(sinceMs, this.#clock.nowMs - this.#twoWakeUpsUs / 1000);
  }

  /**
   * Sets how many jobs the thread is given ahead: as many as it begins in `recallAfterMs`, or in two wake-ups
   * if these take longer. Only a thread that was never without work shows its pace. A thread that has begun
   * all its jobs is given more.
   */
  measure(recallAfterMs: number): void {
    const now = this.#clock.nowMs;
    const aheadMs = Math.max(recallAfterMs, this.#twoWakeUpsUs / 1000);
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

  /** The newest job, if the thread has not begun it. */
  get unbegunTail(): Job | null {
    const tail = this.#jobs.tail;
    return tail !== null && this.#channel.claims.stateOf(tail.slot) === ClaimState.Queued ? tail : null;
  }
}
