/**
 * Keeps the process below the memory limit at which the system would kill it: near that limit it recycles the largest thread of all
 * pools, one at a time.
 *
 * Recycling cannot free memory outside of threads, nor memory that the replacement needs again. So the guard checks whether the last
 * recycling helped. If it did not, the guard pauses until usage has fallen below the threshold or has grown noticeably.
 */
import { totalmem } from 'node:os';
import type { Log } from '../logging/log.ts';
import type { RecyclingCause } from '../pools/recycling.ts';
import { residentBytes } from '../status/memory-use.ts';

export interface MemoryGuardOptions {
  /** Undefined: the limit that the system reports. */
  readonly limitBytes?: number | undefined;
  /** 0: off. */
  readonly recycleAtPercent: number;
  /** From the end of one recycling to the start of the next. */
  readonly everyMs: number;
}

/** What the guard needs from a pool. */
export interface GuardedPool<Thread extends GuardedThread = GuardedThread> {
  readonly name: string;
  /** The pool's threads that take work. */
  readonly dispatcher: { readonly threads: readonly Thread[] };
  readonly renewal: { recycle(thread: Thread, cause: RecyclingCause): Promise<void> };
}

export interface GuardedThread {
  readonly name: string;
  readonly vitals: { readonly heapBytes: number; readonly externalBytes: number };
}

/** A thread that uses a smaller share of the limit is not worth recycling. */
const LEAST_THREAD_SHARE = 0.05;
/** A recycling that frees a smaller share of the limit has failed. */
const LEAST_GAIN_SHARE = 0.02;
const FAILURES_BEFORE_STOP = 2;

export class MemoryGuard {
  options: MemoryGuardOptions;
  readonly #systemBytes: number;
  readonly #log: Log;
  readonly #rssBytes: () => number;
  #state: 'watching' | 'recycling' | 'helpless' = 'watching';
  /** When the last recycling ended. */
  #recycledMs = Number.NEGATIVE_INFINITY;
  /** Resident memory before the last recycling; 0: there is nothing to compare with. */
  #beforeBytes = 0;
  #failures = 0;
  #helplessAtBytes = 0;

  constructor(
    options: MemoryGuardOptions,
    log: Log,
    rssBytes: () => number = residentBytes,
    systemBytes: number = memoryOfSystem(),
  ) {
    this.options = options;
    this.#systemBytes = systemBytes;
    this.#log = log;
    this.#rssBytes = rssBytes;
  }

  get #limitBytes(): number {
    return this.options.limitBytes ?? this.#systemBytes;
  }

  /** About once a second. */
  look<Thread extends GuardedThread>(pools: Iterable<GuardedPool<Thread>>, nowMs: number): void {
    const { recycleAtPercent, everyMs } = this.options;
    if (recycleAtPercent === 0 || this.#state === 'recycling') return;
    const rssBytes = this.#rssBytes();
    if (rssBytes < (this.#limitBytes * recycleAtPercent) / 100) {
      this.#state = 'watching';
      this.#failures = 0;
      this.#beforeBytes = 0;
      return;
    }
    if (nowMs - this.#recycledMs < everyMs || !this.#mayHelp(rssBytes)) return;
    const largest = this.#largestOf(pools);
    if (largest === null) this.#stop(rssBytes);
    else void this.#recycle(largest, rssBytes);
  }

  /** Whether the last recycling helped, or usage has changed since two recyclings did not help. */
  #mayHelp(rssBytes: number): boolean {
    if (this.#state === 'helpless') {
      if (rssBytes < this.#helplessAtBytes + this.#limitBytes * LEAST_THREAD_SHARE) return false;
      this.#state = 'watching';
      this.#failures = 0;
      this.#beforeBytes = 0;
    }
    if (this.#beforeBytes > 0) {
      const hasHelped = this.#beforeBytes - rssBytes >= this.#limitBytes * LEAST_GAIN_SHARE;
      this.#failures = hasHelped ? 0 : this.#failures + 1;
    }
    if (this.#failures < FAILURES_BEFORE_STOP) return true;
    this.#stop(rssBytes);
    return false;
  }

  #stop(rssBytes: number): void {
    this.#state = 'helpless';
    this.#helplessAtBytes = rssBytes;
    this.#log.error(
      { rssBytes, limitBytes: this.#limitBytes },
      'the process is near its memory limit, and recycling threads does not help',
    );
  }

  #largestOf<Thread extends GuardedThread>(pools: Iterable<GuardedPool<Thread>>): Candidate<Thread> | null {
    let largest: Candidate<Thread> | null = null;
    for (const pool of pools) {
      for (const thread of pool.dispatcher.threads) {
        const bytes = thread.vitals.heapBytes + thread.vitals.externalBytes;
        if (bytes > (largest?.bytes ?? this.#limitBytes * LEAST_THREAD_SHARE))
          largest = { pool, thread, bytes };
      }
    }
    return largest;
  }

  async #recycle<Thread extends GuardedThread>(
    { pool, thread, bytes }: Candidate<Thread>,
    rssBytes: number,
  ): Promise<void> {
    this.#state = 'recycling';
    this.#beforeBytes = rssBytes;
    this.#log.warn(
      { rssBytes, limitBytes: this.#limitBytes, pool: pool.name, thread: thread.name, threadBytes: bytes },
      'the process is near its memory limit: its largest thread is recycled',
    );
    try {
      await pool.renewal.recycle(thread, 'memory');
    } catch {
      // The pool has logged the failure. `#mayHelp` counts it, because nothing was freed.
    } finally {
      this.#recycledMs = performance.now();
      this.#state = 'watching';
    }
  }
}

interface Candidate<Thread extends GuardedThread> {
  readonly pool: GuardedPool<Thread>;
  readonly thread: Thread;
  readonly bytes: number;
}

/** The limit of the control group, or else the memory of the machine. */
export function memoryOfSystem(): number {
  const constrained = process.constrainedMemory();
  // Without a limit, some systems report a number beyond the machine's memory.
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
