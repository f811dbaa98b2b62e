/**
 * Tells threads that are busy from threads that hang, and ends those.
 *
 *   busy ── limit is over ──▶ overdue ── grace is over ──▶ hung: it is ended
 *     ◀────────── it comes back to its loop ────┘
 *
 * What counts is that a thread does not come back to its loop, not how long a job takes: one that awaits something for an hour while its
 * loop turns is fine. The limit is that of the job whose code runs. That is known when its code was called and has not returned, or when
 * the thread has begun nothing else; otherwise the longest of all that it has begun.
 *
 * A job that is known to run beyond its limit is told so when the thread is overdue: its peer gets its answer then, and the
 * application an abort signal, which a loop that turns seldom hears. Everything else ends, or moves, when the thread is ended.
 */
import type { Job, Particulars } from './job.ts';
import { LoopWatch } from './loop-watch.ts';
import type { Thread } from './thread.ts';
import { ThreadEndCode } from './thread-end-error.ts';

export interface HangOptions {
  /** Longest that a thread may stay away from its loop where a job says nothing else; 0: for ever. */
  readonly computeTimeoutMs: number;
  /** From then until it is ended. */
  readonly computeGraceMs: number;
}

/** A thread that is over its limit. */
export interface Overdue {
  readonly silentMs: number;
  /** The job whose code runs; null: it cannot be told which of several, or none. */
  readonly overran: Particulars | null;
  /** What it has begun otherwise, oldest first, as far as it is named. */
  readonly others: readonly Particulars[];
  readonly moreOthers: number;
}

export interface HangObserver {
  /** It stands still for a reason of ours, or of whoever debugs it. */
  isExcused(thread: Thread): boolean;
  onOverdue(thread: Thread, overdue: Overdue): void;
  /** It was overdue, and has come back to its loop. */
  onBack(thread: Thread, awayMs: number): void;
  /** False: so many that were told to end have not ended that another would only be one more. It is asked again. */
  onHung(thread: Thread, error: HungThreadError): boolean;
}

/** A thread was ended for that. */
export class HungThreadError extends Error {
  override readonly name = 'HungThreadError';
  readonly code = ThreadEndCode.Hung;

  constructor(silentMs: number, limitMs: number) {
    super(
      `it had not come back to its event loop for ${Math.round(silentMs)} ms, and computeTimeoutMs is ${limitMs}`,
    );
  }
}

const MOST_NAMED = 8;
/** Anything shorter is not worth looking for a limit. */
const LEAST_SILENT_MS = 20;

interface Watched {
  readonly watch: LoopWatch;
  state: 'busy' | 'overdue' | 'hung';
  /** At the last look. */
  silentMs: number;
}

export class HungThreads {
  /** Threads that were ended for it, ever. */
  ended = 0;
  /** May be replaced: threads are held to the new ones. */
  options: HangOptions;
  readonly #observer: HangObserver;
  readonly #watched = new WeakMap<Thread, Watched>();

  constructor(options: HangOptions, observer: HangObserver) {
    this.options = options;
    this.#observer = observer;
  }

  /** Every few milliseconds while there is work, and about once a second otherwise. */
  look(threads: Iterable<Thread>, nowMs: number): void {
    for (const thread of threads) {
      // One that loads has `startTimeoutMs`.
      if (thread.state === 'ready' || thread.state === 'draining') this.#look(thread, nowMs);
    }
  }

  #look(thread: Thread, nowMs: number): void {
    const watched = this.#watchedFor(thread);
    const awayMs = watched.silentMs;
    const silentMs = watched.watch.look(nowMs);
    watched.silentMs = silentMs;
    if (silentMs < LEAST_SILENT_MS) {
      if (watched.state === 'overdue') {
        watched.state = 'busy';
        this.#observer.onBack(thread, awayMs);
      }
      return;
    }
    const running = thread.runningJob;
    const limitMs = this.#limitOf(thread, running);
    if (limitMs === 0 || silentMs < limitMs) return;
    if (this.#observer.isExcused(thread)) {
      watched.watch.excuse();
      return;
    }
    if (watched.state === 'busy') {
      watched.state = 'overdue';
      this.#tellOverdue(thread, running, silentMs);
    }
    if (watched.state === 'hung' || silentMs < limitMs + this.options.computeGraceMs) return;
    if (!this.#observer.onHung(thread, new HungThreadError(silentMs, limitMs))) return;
    watched.state = 'hung';
    this.ended++;
  }

  #watchedFor(thread: Thread): Watched {
    const known = this.#watched.get(thread);
    if (known !== undefined) return known;
    const { computeTimeoutMs } = this.options;
    const watch = new LoopWatch(thread, computeTimeoutMs === 0 ? Infinity : computeTimeoutMs);
    const watched: Watched = { watch, state: 'busy', silentMs: 0 };
    this.#watched.set(thread, watched);
    return watched;
  }

  /** 0: none. */
  #limitOf(thread: Thread, running: Job | null): number {
    const { computeTimeoutMs } = this.options;
    if (running !== null) return running.computeTimeoutMs ?? computeTimeoutMs;
    let longestMs = -1;
    for (const job of thread.begunJobs()) {
      const limitMs = job.computeTimeoutMs ?? computeTimeoutMs;
      if (limitMs === 0) return 0;
      longestMs = Math.max(longestMs, limitMs);
    }
    return longestMs === -1 ? computeTimeoutMs : longestMs;
  }

  #tellOverdue(thread: Thread, running: Job | null, silentMs: number): void {
    const others: Particulars[] = [];
    let more = 0;
    for (const job of thread.begunJobs()) {
      if (job === running) continue;
      if (others.length < MOST_NAMED) others.push(job.particulars);
      else more++;
    }
    const overran = running === null ? null : running.particulars;
    this.#observer.onOverdue(thread, { silentMs, overran, others, moreOthers: more });
    if (running !== null) thread.overrun(running);
  }
}
