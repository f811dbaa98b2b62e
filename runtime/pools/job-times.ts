/**
 * How long the jobs of one thread waited, ran and computed: recorded when they end, and read while they run.
 */
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import { elapsed, type Vitals } from '../../wire/vitals.ts';
import type { Job, JobList } from './job.ts';
import type { JobRecord, Tally } from './tally.ts';

/** Longer durations count as this one. */
const MOST_US = 2 ** 32 - 1;
/** Half of the period after which `clockMicroseconds` wraps. */
const HALF_WRAP_MS = 2 ** 31 / 1000;

export class JobTimes {
  readonly #thread: string;
  readonly #channel: ReactorEnd;
  readonly #vitals: Vitals;
  readonly #tally: Tally;

  constructor(thread: string, channel: ReactorEnd, vitals: Vitals, tally: Tally) {
    this.#thread = thread;
    this.#channel = channel;
    this.#vitals = vitals;
    this.#tally = tally;
  }

  /** How often and for how long the begun jobs have waited for credit, and how many wait now. */
  openStalls(
    jobs: JobList,
    nowUs: number,
  ): { readonly now: number; readonly stalls: number; readonly stalledUs: number } {
    let [now, stalls, stalledUs] = [0, 0, 0];
    for (let job = jobs.head; job !== null; job = job.next) {
      if (this.#channel.claims.stateOf(job.slot) !== ClaimState.Claimed) continue;
      if (this.#vitals.isStalled(job.slot)) now++;
      stalls += this.#vitals.stalls(job.slot);
      stalledUs += this.#vitals.stalledUs(job.slot, nowUs);
    }
    return { now, stalls, stalledUs };
  }

  /** How long the oldest begun job has run; null: the thread has begun none. */
  longestRunningUs(jobs: JobList, nowMs: number): number | null {
    let longest: number | null = null;
    for (let job = jobs.head; job !== null; job = job.next) {
      if (this.#channel.claims.stateOf(job.slot) !== ClaimState.Claimed) continue;
      longest = Math.max(longest ?? 0, this.#runningUs(job, nowMs));
    }
    return longest;
  }

  /**
   * How long a job has run. The shared word with its beginning wraps, so for a job that lasts longer the time
   * since its assignment is returned.
   */
  #runningUs({ slot, assignedAtMs }: Job, nowMs: number): number {
    return nowMs - assignedAtMs > HALF_WRAP_MS
      ? Math.min(MOST_US, (nowMs - assignedAtMs) * 1000) >>> 0
      : elapsed(this.#vitals.begunUs(slot), clockMicroseconds(nowMs));
  }

  /**
   * Before the job's slot is released.
   * @param tell is told about the job; null or absent: no one is
   * @returns how long the job waited for its thread to begin it
   */
  record(job: Job, nowMs: number, tell: ((job: JobRecord) => void) | null | undefined): number {
    const tally = this.#tally;
    const vitals = this.#vitals;
    const { slot, admittedAtMs, assignedAtMs } = job;
    const claimUs = elapsed(clockMicroseconds(assignedAtMs), vitals.begunUs(slot));
    const stalls = vitals.stalls(slot);
    tally.ended++;
    tally.queueWait.record(Math.min(MOST_US, (assignedAtMs - admittedAtMs) * 1000) >>> 0);
    tally.claimWait.record(claimUs);
    tally.service.record(this.#runningUs(job, nowMs));
    const computedUs = vitals.computedUs(slot);
    // 0: the thread reports the cost only after the FINAL message, too late for this job. The next one
    // counts.
    if (job.lane !== null && computedUs !== 0) job.lane.record(computedUs);
    let stalledUs = 0;
    if (stalls > 0) {
      stalledUs = vitals.stalledUs(slot, clockMicroseconds(nowMs));
      tally.creditStalls += stalls;
      tally.creditStalledUs += stalledUs;
    }
    if (tell) this.#tellEnded(tell, job, nowMs, claimUs, stalledUs);
    return claimUs;
  }

  #tellEnded(
    tell: (record: JobRecord) => void,
    job: Job,
    nowMs: number,
    claimUs: number,
    stalledUs: number,
  ): void {
    const { admittedAtMs: admittedMs, assignedAtMs: assignedMs } = job;
    const begunMs = assignedMs + claimUs / 1000;
    tell({
      thread: this.#thread,
      admittedMs,
      assignedMs,
      begunMs,
      endedMs: Math.max(begunMs, nowMs),
      creditStalledMs: stalledUs / 1000,
    });
  }
}
