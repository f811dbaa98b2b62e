/**
 * Counters of what a thread has done for each actor. Only the thread writes them, into shared memory. The reactor reads them for a status,
 * even while the thread computes, and threads that call over direct channels read them to choose among the threads of a `pool` actor. The
 * words are not atomic: an old or wrong value does no harm.
 */

/** The counters of one actor in one thread. */
export const ActorCounter = {
  Begun: 0,
  Ended: 1,
  /** Calls among the ended ones that threw, or that returned a value that cannot be sent. */
  Failed: 2,
  /** Total time from when the thread received a call until the method began. */
  WaitMs: 3,
  /** Total time from then until the method ended. */
  RunMs: 4,
  /** Replies of asks that found nobody: the caller had given up, or was gone, when its method ended. */
  Dropped: 5,
} as const;
export type ActorCounter = (typeof ActorCounter)[keyof typeof ActorCounter];

/** Doubles for each actor: one cache line. */
const WORDS = 8;
const BYTES = 8;

export function allocateActorCounters(actors: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, actors) * WORDS * BYTES);
}

export interface ActorCounts {
  readonly begun: number;
  readonly ended: number;
  readonly failed: number;
  readonly dropped: number;
  readonly waitMs: number;
  readonly runMs: number;
}

export class ActorCounters {
  readonly #words: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Float64Array(memory);
  }

  add(actor: number, counter: ActorCounter, amount: number): void {
    const at = actor * WORDS + counter;
    this.#words[at] = (this.#words[at] ?? 0) + amount;
  }

  /** True if a call of any actor has begun and not ended. */
  get isBusy(): boolean {
    for (let actor = 0; actor * WORDS < this.#words.length; actor++) if (this.running(actor) > 0) return true;
    return false;
  }

  /** The number of calls that have begun and not ended. */
  running(actor: number): number {
    const at = actor * WORDS;
    const running = (this.#words[at + ActorCounter.Begun] ?? 0) - (this.#words[at + ActorCounter.Ended] ?? 0);
    return Math.max(running, 0);
  }

  read(actor: number): ActorCounts {
    const of = (counter: ActorCounter) => this.#words[actor * WORDS + counter] ?? 0;
    return {
      begun: of(ActorCounter.Begun),
      ended: of(ActorCounter.Ended),
      failed: of(ActorCounter.Failed),
      dropped: of(ActorCounter.Dropped),
      waitMs: of(ActorCounter.WaitMs),
      runMs: of(ActorCounter.RunMs),
    };
  }
}

export function sumOfCounts(one: ActorCounts, other: ActorCounts): ActorCounts {
  return {
    begun: one.begun + other.begun,
    ended: one.ended + other.ended,
    failed: one.failed + other.failed,
    dropped: one.dropped + other.dropped,
    waitMs: one.waitMs + other.waitMs,
    runMs: one.runMs + other.runMs,
  };
}

export const NO_COUNTS: ActorCounts = { begun: 0, ended: 0, failed: 0, dropped: 0, waitMs: 0, runMs: 0 };
