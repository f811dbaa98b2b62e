/**
 * How many threads a pool should have, by two measures with a gap between them: it grows when jobs wait, and shrinks when so little is
 * done that one thread less would still have time to spare.
 *
 *   grow     a job has waited for `growAfterMs`, and no thread is starting: one that starts may be all that is missing
 *   shrink   for `shrinkAfterMs` no job has waited for that long, and the threads that are left would at no time have been busier
 *            than `shrinkBelow`; then one thread ends, and the time counts anew
 *
 * So a load that comes and goes faster than `shrinkAfterMs` changes nothing once there are threads for its peak. Time is passed in.
 */

export interface SizingOptions {
  readonly minThreads: number;
  /** A job that has waited for so long asks for one more thread. */
  readonly growAfterMs: number;
  /** A thread ends when the pool has had one more than it needs for so long. */
  readonly shrinkAfterMs: number;
  /** The busy part, from 0 to 1, up to which threads have time to spare. */
  readonly shrinkBelow: number;
}

/** What the pool is like now. */
export interface PoolLoad {
  readonly nowMs: number;
  /** Threads that take jobs. */
  readonly readyThreads: number;
  /** It may start a thread: it has not as many as it may have, and none is starting. */
  readonly mayGrow: boolean;
  /** Since the job that has waited longest was admitted; -1: none waits. */
  readonly longestWaitMs: number;
  /** The time that all its threads together have been busy. */
  busyMs(): number;
}

/** The busy part is taken over at least this long: a moment's is all or nothing. */
const WINDOW_MS = 1_000;

export class Sizer {
  options: SizingOptions;
  /** Since when the pool could do with less. */
  #slackSinceMs: number;
  #windowMs: number;
  #windowBusyMs = 0;
  #windowThreads = 0;

  constructor(options: SizingOptions, nowMs: number) {
    this.options = options;
    this.#slackSinceMs = nowMs;
    this.#windowMs = nowMs;
  }

  /** What to do now: start a thread, end one that has nothing to do, or neither. Asked as often as one likes. */
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

  /** A thread ends because of that. */
  ended(nowMs: number): void {
    this.#slackSinceMs = nowMs;
  }

  /** Over the window that ends now, one thread less would have been busier than it may be; false while the window goes on. */
  #isBusy(load: PoolLoad): boolean {
    const { nowMs, readyThreads } = load;
    const passedMs = nowMs - this.#windowMs;
    const areTheSame = readyThreads === this.#windowThreads;
    if (passedMs < WINDOW_MS && areTheSame) return false;
    const before = this.#windowBusyMs;
    this.#windowBusyMs = load.busyMs();
    this.#windowMs = nowMs;
    this.#windowThreads = readyThreads;
    // Where threads have come or gone, what was counted is not what is.
    const usedMs = this.#windowBusyMs - before;
    return areTheSame && usedMs > this.options.shrinkBelow * passedMs * Math.max(1, readyThreads - 1);
  }
}
