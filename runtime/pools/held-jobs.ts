/** Jobs that wait until fewer jobs of their lane are with the pool, in a queue for each such lane. */
import type { Job } from './job.ts';
import type { Lane } from './lane.ts';
import { WaitingList } from './waiting-list.ts';

export class HeldJobs {
  readonly #byLane = new Map<Lane, WaitingList>();

  get size(): number {
    let jobs = 0;
    for (const { size } of this.#byLane.values()) jobs += size;
    return jobs;
  }

  /** @returns false if the lane already holds as many jobs as allowed */
  hold(job: Job, lane: Lane): boolean {
    let held = this.#byLane.get(lane);
    if ((held?.size ?? 0) >= lane.options.maxHeld) return false;
    if (held === undefined) {
      held = new WaitingList();
      this.#byLane.set(lane, held);
    }
    job.state = 'held';
    held.push(job);
    return true;
  }

  /** Releases the next job of the lane. Null: no job is held, and the lane is forgotten. */
  shift(lane: Lane): Job | null {
    const job = this.#byLane.get(lane)?.shift() ?? null;
    if (job === null) this.#byLane.delete(lane);
    return job;
  }

  remove(job: Job): void {
    this.#byLane.get(job.lane as Lane)?.remove(job);
  }

  /** The held jobs, lane by lane. They may be removed meanwhile. */
  get lanes(): Iterable<WaitingList> {
    return this.#byLane.values();
  }
}
