/**
 * Tells busy threads from hung ones, and ends the latter.
 *
 *   busy ── limit is over ──▶ overdue ── grace is over ──▶ hung: the thread is ended
 *     ◀─── the thread returns ───┘
 *
 * What counts is how long a thread stays away from its event loop, not how long a job takes: a job that
 * awaits something for an hour while the loop turns is fine. The limit is that of the job whose code runs.
 * The reactor knows that job if its code was called and has not returned, or if the thread has begun only
 * one. Otherwise the longest limit of all begun jobs applies.
 *
 * If the reactor knows the job, it tells the job that it is overdue: the peer gets a response, and the
 * application an abort signal, which a loop that seldom turns receives late. All other jobs end, or move to
 * other threads, when the thread is ended.
 */
import type { Job, Particulars } from './job.ts';
import { LoopWatch } from './loop-watch.ts';
import type { Thread } from './thread.ts';
import { ThreadEndCode } from './thread-end-error.ts';

export interface HangOptions {
  /** How long a thread may stay away from its event loop if its job has no limit of its own; 0: for ever. */
  readonly computeTimeoutMs: number;
  /** How long after that time the thread is ended. */
  readonly computeGraceMs: number;
}

/** A thread that has exceeded its limit. */
export interface Overdue {
  readonly silentMs: number;
  /** The job whose code runs; null: it may be any of several, or none. */
  readonly overran: Particulars | null;
  /** The other begun jobs, oldest first, up to the number that is named. */
  readonly others: readonly Particulars[];
  readonly moreOthers: number;
}

export interface HangObserver {
  /** True while a debugger has paused the thread, or a snapshot of its heap is taken. */
  isExcused(thread: Thread): boolean;
  onOverdue(thread: Thread, overdue: Overdue): void;
  /** The thread was overdue, and has returned to its event loop. */
  onBack(thread: Thread, awayMs: number): void;
  /**
   * @returns false if too many threads that were told to end still run, so that ending this one would only
   * add another; the call is repeated later
   */
  onHung(thread: Thread, error: HungThreadError): boolean;
}

/** The error that a hung thread is ended with. */
export class HungThreadError extends Error {
  override readonly name = 'HungThreadError';
  readonly code = ThreadEndCode.Hung;

  constructor(silentMs: number, limitMs: number) {
    super(
      `it did not return to its event loop for ${Math.round(silentMs)} ms, and computeTimeoutMs is ${limitMs}`,
    );
    // The reactor's own frames would point the reader to the wrong code, and the thread's position is
    // unknown.
    this.stack = `${this.name}: ${this.message}`;
  }
}

const MOST_NAMED = 8;
/** For a shorter silence the limit need not be checked. */
const LEAST_SILENT_MS = 20;

interface Watched {
  readonly watch: LoopWatch;
  state: 'busy' | 'overdue' | 'hung';
  /** As of the last check. */
  silentMs: number;
}

export class HungThreads {
  /** Hung threads that were ended, since the start. */
  ended = 0;
  /** May be replaced. The new options apply to threads that run already. */
  options: HangOptions;
  readonly #observer: HangObserver;
  readonly #watched = new WeakMap<Thread, Watched>();

  constructor(options: HangOptions, observer: HangObserver) {
    this.options = options;
    this.#observer = observer;
  }

  /** Called every few milliseconds while there is work, and about once a second otherwise. */
  look(threads: Iterable<Thread>, nowMs: number): void {
    for (const thread of threads) {
      // A thread that loads has `startTimeoutMs`.
      if (thread.state === 'ready' || thread.state === 'draining') this.#look(thread, nowMs);
    }
  }

  /** For how long the thread has not returned to its event loop. */
  silentMs(thread: Thread, nowMs: number): number {
    return this.#watchedFor(thread).watch.look(nowMs);
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

  /** 0: no limit. */
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
