/**
 * Replaces threads that have served for long enough, or have grown too large. The new thread is started
 * first, and only a few are replaced at a time, so the pool keeps its size.
 *
 * A leak shows in the memory that the thread reports (`Vitals`). A thread is replaced only if it was too
 * large in several checks in a row, because garbage disappears by itself.
 */
import type { Thread } from './thread.ts';

export interface RecyclingOptions {
  /** 0 switches each of these off. */
  readonly maxExchanges: number;
  readonly maxAgeMs: number;
  readonly maxHeapBytes: number;
  readonly maxExternalBytes: number;
  /** By how much each thread's own limits are lower, so that not all threads are due at once. */
  readonly jitterPercent: number;
  /** The share of the pool's threads that are replaced at a time, but at least one. */
  readonly maxAtOncePercent: number;
}

/** `asked`: the operator requested it. */
export type RecyclingCause = 'exchanges' | 'age' | 'heap' | 'external' | 'memory' | 'asked';

/** What recycling knows about a thread. */
export interface RecyclingThread {
  readonly tally: Pick<Thread['tally'], 'ended'>;
  readonly vitals: Pick<Thread['vitals'], 'liveHeapBytes' | 'externalBytes'>;
}

export interface RecyclingOwner<Recycled extends RecyclingThread = Thread> {
  /** Threads that take jobs. */
  readonly readyThreads: number;
  /** Rejects if the thread could not be replaced; the thread then continues. */
  recycle(thread: Recycled, cause: RecyclingCause): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
const LOOKS_TO_BE_SURE = 3;
/** The pause after a thread could not be replaced. It doubles each time, up to the longest. */
const PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 600_000;

interface Followed {
  /** The share of each maximum that this thread has. */
  readonly share: number;
  readonly sinceMs: number;
  tooLarge: number;
  state: 'serving' | 'replaced';
}

export class Recycling<Recycled extends RecyclingThread = Thread> {
  options: RecyclingOptions;
  /** Threads that others are being started for. */
  underWay = 0;
  readonly #owner: RecyclingOwner<Recycled>;
  readonly #random: () => number;
  readonly #followed = new WeakMap<RecyclingThread, Followed>();
  #failures = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(
    options: RecyclingOptions,
    owner: RecyclingOwner<Recycled>,
    random: () => number = Math.random,
  ) {
    this.options = options;
    this.#owner = owner;
    this.#random = random;
  }

  /** May be called at any time. @param threads those that take jobs */
  look(threads: Iterable<Recycled>, nowMs: number): void {
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = nowMs;
    for (const thread of threads) {
      const followed = this.#follow(thread, nowMs);
      const cause = this.#causeFor(thread, followed, nowMs);
      if (cause === null || followed.state === 'replaced' || nowMs < this.#pausedUntilMs) continue;
      if (this.underWay < this.#mostAtOnce) void this.#replace(thread, followed, cause);
    }
  }

  get #mostAtOnce(): number {
    return Math.max(1, Math.floor((this.#owner.readyThreads * this.options.maxAtOncePercent) / 100));
  }

  #follow(thread: Recycled, nowMs: number): Followed {
    const known = this.#followed.get(thread);
    if (known !== undefined) return known;
    const share = 1 - (this.#random() * this.options.jitterPercent) / 100;
    const followed: Followed = { share, sinceMs: nowMs, tooLarge: 0, state: 'serving' };
    this.#followed.set(thread, followed);
    return followed;
  }

  #causeFor({ tally, vitals }: Recycled, followed: Followed, nowMs: number): RecyclingCause | null {
    const { maxExchanges, maxAgeMs, maxHeapBytes, maxExternalBytes } = this.options;
    const { share, sinceMs } = followed;
    const isOver = (value: number, most: number) => most > 0 && value >= most * share;
    const size = isOver(vitals.liveHeapBytes, maxHeapBytes)
      ? 'heap'
      : isOver(vitals.externalBytes, maxExternalBytes)
        ? 'external'
        : null;
    followed.tooLarge = size === null ? 0 : followed.tooLarge + 1;
    if (isOver(tally.ended, maxExchanges)) return 'exchanges';
    if (isOver(nowMs - sinceMs, maxAgeMs)) return 'age';
    return followed.tooLarge >= LOOKS_TO_BE_SURE ? size : null;
  }

  async #replace(thread: Recycled, followed: Followed, cause: RecyclingCause): Promise<void> {
    followed.state = 'replaced';
    this.underWay++;
    try {
      await this.#owner.recycle(thread, cause);
      this.#failures = 0;
    } catch {
      // The owner has reported the failure. The thread continues, and another attempt follows later.
      followed.state = 'serving';
      this.#pausedUntilMs =
        this.#lookedMs + Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** Math.min(this.#failures++, 16));
    } finally {
      this.underWay--;
    }
  }
}
