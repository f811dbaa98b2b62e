/**
 * Keeps the process from the limit at which its system would kill it: near it, the largest of all threads is recycled, one at a time.
 *
 * What is not in threads this cannot free, nor what the next thread needs as well. So it looks whether it helped, and stops when it did
 * not, until there is less again or noticeably more.
 */
import { totalmem } from 'node:os';
import type { Log } from '../logging/log.ts';
import type { RecyclingCause } from '../pools/recycling.ts';

export interface MemoryGuardOptions {
  /** Undefined: what the system says. */
  readonly limitBytes?: number | undefined;
  /** 0: off. */
  readonly recycleAtPercent: number;
  /** From the end of one recycling to the next. */
  readonly everyMs: number;
}

/** A pool, as far as it matters here. */
export interface GuardedPool<Thread extends GuardedThread = GuardedThread> {
  readonly name: string;
  /** Those that take work. */
  readonly dispatcher: { readonly threads: readonly Thread[] };
  readonly renewal: { recycle(thread: Thread, cause: RecyclingCause): Promise<void> };
}

export interface GuardedThread {
  readonly name: string;
  readonly vitals: { readonly heapBytes: number; readonly externalBytes: number };
}

/** Of the limit: a thread that has less frees nothing that matters, and one that made less of a difference made none. */
const LEAST_THREAD_SHARE = 0.05;
const LEAST_GAIN_SHARE = 0.02;
const FAILURES_BEFORE_STOP = 2;

export class MemoryGuard {
  options: MemoryGuardOptions;
  readonly #systemBytes: number;
  readonly #log: Log;
  readonly #rssBytes: () => number;
  #state: 'watching' | 'recycling' | 'helpless' = 'watching';
  /** When the last recycling was over, and what there was before it. */
  #recycledMs = Number.NEGATIVE_INFINITY;
  #beforeBytes = 0;
  #failures = 0;
  #helplessAtBytes = 0;

  constructor(
    options: MemoryGuardOptions,
    log: Log,
    rssBytes: () => number = () => process.memoryUsage.rss(),
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

  /** Whether the last one helped, or something has changed since it was seen not to. */
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
      // The pool has told of it. What it did not free counts against the next attempt.
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

/** The limit of the control group, if there is one, or what the machine has. */
export function memoryOfSystem(): number {
  const constrained = process.constrainedMemory();
  // Without a limit some systems say one that nobody can reach.
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
