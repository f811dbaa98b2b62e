/**
 * How many threads a pool should have, by two measures with a gap between them. The pool grows when jobs
 * wait. It shrinks when one thread less would still have time to spare.
 *
 *   grow     a job has waited for `growAfterMs`, and no thread is starting: that thread may be all that is missing
 *   shrink   for `shrinkAfterMs` no job has waited for that long, and the remaining threads would at no time have been
 *            busier than `shrinkBelow`; then one thread ends, and the time starts again
 *
 * So a load that comes and goes faster than `shrinkAfterMs` changes nothing once there are threads for its
 * peak. Time is passed in.
 */

export interface SizingOptions {
  readonly minThreads: number;
  /** One more thread is needed when a job has waited for this long. */
  readonly growAfterMs: number;
  /** A thread ends when the pool has had one thread too many for this long. */
  readonly shrinkAfterMs: number;
  /** The busy share of the time, from 0 to 1, up to which threads have time to spare. */
  readonly shrinkBelow: number;
}

/** The pool as it is now. */
export interface PoolLoad {
  readonly nowMs: number;
  /** Threads that take jobs. */
  readonly readyThreads: number;
  /** True if the pool may start a thread: it has fewer than its maximum, and none is starting. */
  readonly mayGrow: boolean;
  /** How long the longest-waiting job has waited; -1: none waits. */
  readonly longestWaitMs: number;
  /** The total time in which threads have been busy. */
  busyMs(): number;
}

/** The busy part is measured over at least this long, because in a moment a thread is either busy or not. */
const WINDOW_MS = 1_000;

export class Sizer {
  options: SizingOptions;
  /** Since when the pool has had a thread too many. */
  #slackSinceMs: number;
  #windowMs: number;
  #windowBusyMs = 0;
  #windowThreads = 0;

  constructor(options: SizingOptions, nowMs: number) {
    this.options = options;
    this.#slackSinceMs = nowMs;
    this.#windowMs = nowMs;
  }

  /** Returns what to do now: start a thread, end an idle one, or neither. May be called at any time. */
  decide(load: PoolLoad): 'grow' | 'shrink' | 'stay' {
    const { minThreads, growAfterMs, shrinkAfterMs } = this.options;
    const { nowMs, readyThreads, longestWaitMs } = load;
    const isShort = longestWaitMs >= 0 && longestWaitMs >= growAfterMs;
    if (isShort) {
      this.#slackSinceMs = nowMs;
      return load.mayGrow ? 'grow' : 'stay';
    }
    if (readyThreads <= minThreads) return 'stay';
    if (this.#isBusy(load)) this.#slackSinceMs = nowMs;
    return nowMs - this.#slackSinceMs >= shrinkAfterMs ? 'shrink' : 'stay';
  }

  /** A thread ends because `decide` returned `shrink`. */
  ended(nowMs: number): void {
    this.#slackSinceMs = nowMs;
  }

  /**
   * True if in the window that ends now the threads would have been too busy without one of them. False while
   * the window continues.
   */
  #isBusy(load: PoolLoad): boolean {
    const { nowMs, readyThreads } = load;
    const passedMs = nowMs - this.#windowMs;
    const areTheSame = readyThreads === this.#windowThreads;
    if (passedMs < WINDOW_MS && areTheSame) return false;
    const before = this.#windowBusyMs;
    this.#windowBusyMs = load.busyMs();
    this.#windowMs = nowMs;
    this.#windowThreads = readyThreads;
    // If threads have come or gone, the sums before and after are of different threads.
    const usedMs = this.#windowBusyMs - before;
    return areTheSame && usedMs > this.options.shrinkBelow * passedMs * Math.max(1, readyThreads - 1);
  }
}
