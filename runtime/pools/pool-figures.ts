/** What the threads of a pool have done, and how many have died from which cause. For status and metrics. */
import type { Deaths } from './death-causes.ts';
import type { ForcedEnds } from './forced-ends.ts';
import type { HungThreads } from './hung-threads.ts';
import type { Members } from './members.ts';
import type { Death, Supervision } from './supervision.ts';
import type { Tally } from './tally.ts';
import type { ThreadCosts } from './thread-costs.ts';

export class PoolFigures {
  readonly #members: Members;
  readonly #supervision: Supervision;
  readonly #hungThreads: HungThreads;
  readonly #ends: ForcedEnds;

  constructor(members: Members, supervision: Supervision, hungThreads: HungThreads, ends: ForcedEnds) {
    this.#members = members;
    this.#supervision = supervision;
    this.#hungThreads = hungThreads;
    this.#ends = ends;
  }

  /** Sums over all threads, including ended ones. */
  get tally(): Tally {
    return this.#members.tally;
  }

  /** Of all threads, those that are gone included. */
  get costs(): ThreadCosts {
    return this.#members.costs;
  }

  /** Threads that have been started, and those of them that have died, since the start. */
  get startedThreads(): number {
    return this.#members.started;
  }

  get diedThreads(): number {
    return this.#supervision.deaths;
  }

  /** Of the threads that have died, how many died of each cause. */
  get diedFor(): Readonly<Deaths> {
    return this.#supervision.deathsBy;
  }

  /** Of the threads that have died, those that were ended because they hung. */
  get hungThreads(): number {
    return this.#hungThreads.ended;
  }

  /** Threads that were told to end and still run, because they are in native code or in a system call. */
  get unendedThreads(): number {
    return this.#ends.unended;
  }

  /** Null: none has died. */
  get lastDeath(): Death | null {
    return this.#supervision.lastDeath;
  }

  /** The time until the next thread is started to replace a dead one; null: no start waits. */
  get nextStartInMs(): number | null {
    return this.#supervision.nextStartInMs;
  }
}
