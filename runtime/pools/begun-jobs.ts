/** Which of its jobs a thread has begun, and whose code it runs, by its claim table and its vitals. */
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

  /** @param jobs all that the thread has, oldest first */
  constructor(channel: ReactorEnd, vitals: Vitals, jobs: JobList, slots: Slots) {
    this.#channel = channel;
    this.#vitals = vitals;
    this.#jobs = jobs;
    this.#slots = slots;
  }

  /** Those that it has begun and not ended, as far as the reactor has heard, oldest first. */
  *all(): Generator<Job> {
    for (let job = this.#jobs.head; job !== null; job = job.next) {
      if (this.#channel.claims.stateOf(job.slot) === ClaimState.Claimed) yield job;
    }
  }

  /**
   * The job whose code the thread runs, if it runs any: the one that it was called for and that has not returned, or the only one
   * that it has begun. Null: it may be any of several.
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
