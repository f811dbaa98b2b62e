/** The slots of one thread: which are free, and which job has which. The claim table has a word for each. */
import type { ClaimTable } from '../../wire/claims.ts';
import type { Job } from './job.ts';

export class Slots {
  readonly #jobs: (Job | null)[];
  readonly #free: number[] = [];
  readonly #claims: ClaimTable;

  /** @param jobs by slot, all null. The `JobReceiver` has the same array */
  constructor(jobs: (Job | null)[], claims: ClaimTable) {
    this.#jobs = jobs;
    this.#claims = claims;
    for (let slot = jobs.length - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  get free(): number {
    return this.#free.length;
  }

  /** Null: no job has the slot. */
  jobIn(slot: number): Job | null {
    return this.#jobs[slot] ?? null;
  }

  /** Takes a free slot, of which there must be one. */
  take(): number {
    return this.#free.pop() as number;
  }

  give(slot: number, job: Job): void {
    this.#jobs[slot] = job;
  }

  /** Frees a slot whose claim word was queued, and whose OPEN was not sent. */
  giveBack(slot: number): void {
    this.#claims.recall(slot);
    this.#claims.release(slot);
    this.#free.push(slot);
  }

  /**
   * Frees the slot of a job that is over for its thread.
   * @returns false if the claim word is neither claimed nor recalled
   */
  release(slot: number): boolean {
    this.#jobs[slot] = null;
    this.#free.push(slot);
    return this.#claims.release(slot);
  }
}
