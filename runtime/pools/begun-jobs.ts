/**
 * Which of its jobs a thread has begun, and whose code it runs, by the claim table and the thread's vitals.
 */
import { ClaimState } from '../../wire/claims.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import type { Vitals } from '../../wire/vitals.ts';
import type { Job, JobList } from './job.ts';
import type { Slots } from './slots.ts';

export class BegunJobs {
  readonly #channel: ReactorEnd;
  readonly #vitals: Vitals;
  readonly #jobs: JobList;
  readonly #slots: Slots;

  /** @param jobs all jobs of the thread, oldest first */
  constructor(channel: ReactorEnd, vitals: Vitals, jobs: JobList, slots: Slots) {
    this.#channel = channel;
    this.#vitals = vitals;
    this.#jobs = jobs;
    this.#slots = slots;
  }

  /** The jobs that the thread has begun and, as far as the reactor knows, not ended; oldest first. */
  *all(): Generator<Job> {
    for (let job = this.#jobs.head; job !== null; job = job.next) {
      if (this.#channel.claims.stateOf(job.slot) === ClaimState.Claimed) yield job;
    }
  }

  /**
   * The job whose code the thread runs, if it runs any: the job that the thread was called for and that has
   * not returned, or else the only begun job. Null: it may be any of several.
   */
  get running(): Job | null {
    const within = this.#slots.jobIn(this.#vitals.within);
    if (within !== null) return within;
    let only: Job | null = null;
    for (const job of this.all()) {
      if (only !== null) return null;
      only = job;
    }
    return only;
  }
}
