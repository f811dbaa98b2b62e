/** Jobs of one thread whose last send found its ring full. They try again when the ring has room. */
import type { Job } from './job.ts';
import { blame } from './job-receiver.ts';

export class RingWaiters {
  readonly #jobs = new Set<Job>();

  add(job: Job): void {
    this.#jobs.add(job);
  }

  delete(job: Job): void {
    // Every job passes through here when it ends, and usually none waits. Checking that costs less than a
    // look-up.
    if (this.#jobs.size > 0) this.#jobs.delete(job);
  }

  /**
   * Called when the ring has room: jobs send in the order in which they found it full.
   * @returns false if it is full again
   */
  resume(): boolean {
    for (const job of this.#jobs) {
      this.#jobs.delete(job);
      if (meetsFullRing(job)) {
        this.#jobs.add(job);
        return false;
      }
    }
    return true;
  }
}

function meetsFullRing(job: Job): boolean {
  try {
    return !job.sendPending();
  } catch (error) {
    blame(job, error);
    return false;
  }
}
