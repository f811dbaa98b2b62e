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
  readonly maxThreads: number;
  /** A job that has waited for so long asks for one more thread. */
  readonly growAfterMs: number;
  /** The pool has had a thread more than it needs for so long. */
  readonly shrinkAfterMs: number;
  /** The busy part, from 0 to 1, up to which threads have time to spare. */
  readonly shrinkBelow: number;
}

/** What the pool is like now. */
export interface PoolLoad {
  readonly nowMs: number;
  /** That take jobs, or will when they have started. */
  readonly threads: number;
  readonly isStarting: boolean;
  /** Since the job that has waited longest was admitted; 0: none waits. */
  readonly longestWaitMs: number;
  /** The time that all threads together have been busy, ever; of one that has ended no more. */
  readonly busyMs: number;
}

/** The busy part is taken over at least this long: a moment's is all or nothing. */
const WINDOW_MS = 1_000;

export class Sizer {
  readonly #options: SizingOptions;
  /** Since when the pool could do with less. */
  #slackSinceMs: number;
  #windowMs: number;
  #windowBusyMs = 0;
  #windowThreads = 0;

  constructor(options: SizingOptions, nowMs: number) {
    this.#options = options;
    this.#slackSinceMs = nowMs;
    this.#windowMs = nowMs;
  }

  /** What to do now: start a thread, end one, or neither. Asked as often as one likes. */
  decide(load: PoolLoad): 'grow' | 'shrink' | 'stay' {
    const { minThreads, maxThreads, growAfterMs, shrinkAfterMs } = this.#options;
    const isShort = load.longestWaitMs >= growAfterMs && load.longestWaitMs > 0;
    if (isShort || this.#isBusy(load)) this.#slackSinceMs = load.nowMs;
    if (isShort && !load.isStarting && load.threads < maxThreads) return 'grow';
    if (load.threads <= minThreads || load.isStarting) return 'stay';
    if (load.nowMs - this.#slackSinceMs < shrinkAfterMs) return 'stay';
    this.#slackSinceMs = load.nowMs;
    return 'shrink';
  }

  /** Over the window that ends now, one thread less would have been busier than it may be; false while the window goes on. */
  #isBusy({ nowMs, threads, busyMs }: PoolLoad): boolean {
    const passedMs = nowMs - this.#windowMs;
    const isComparable = threads === this.#windowThreads && busyMs >= this.#windowBusyMs;
    if (passedMs < WINDOW_MS && isComparable) return false;
    const share = (busyMs - this.#windowBusyMs) / (passedMs * Math.max(1, threads - 1));
    this.#windowMs = nowMs;
    this.#windowBusyMs = busyMs;
    this.#windowThreads = threads;
    // Threads have come or gone: what was counted is not what is.
    return isComparable ? share > this.#options.shrinkBelow : false;
  }
}
