/**
 * Keeps a pool at its minimum of threads. It starts a thread for each that is missing, at once or when
 * `Restarts` allows it. It reports when the pool is short of threads for longer than a start takes, and when
 * it no longer is.
 */
import type { ErrorReport } from '../../wire/error-report.ts';
import { type Deaths, deathCauseOf, noDeaths } from './death-causes.ts';
import type { RestartOptions } from './pool-options.ts';
import { Restarts } from './restarts.ts';

/** The pool. */
export interface Supervised {
  /** How many threads must be started to reach the minimum. */
  readonly missingThreads: number;
  /** True if a thread has been started and has not loaded yet. */
  readonly isStarting: boolean;
  /** The number of threads that take jobs. */
  readonly readyThreads: number;
  readonly minThreads: number;
  startThread(): void;
  /**
   * No thread is expected before that time, by `runningMs`; -Infinity: there is a thread, or one will start
   * at any moment.
   */
  onOutage(untilMs: number): void;
  /** Threads are missing, and the next one is started after this time. */
  onDegraded(nextStartInMs: number): void;
  /** The pool was degraded, and has its minimum of threads again. */
  onRecovered(): void;
}

export interface SupervisionClock {
  /** Updates both clocks, which otherwise do not advance between turns. */
  tick(): void;
  readonly nowMs: number;
  /**
   * Like `nowMs`, without the time in which the process was stopped: no thread has lived or died in that
   * time.
   */
  readonly runningMs: number;
}

/** The last thread that died. */
export interface Death {
  readonly thread: string;
  readonly cause: ErrorReport;
  /** A time of `SupervisionClock.nowMs`. */
  readonly atMs: number;
}

export class Supervision {
  /** Threads that have died, since the start. */
  deaths = 0;
  /** The same by cause. */
  readonly deathsBy: Deaths = noDeaths();
  /** Null: none has died. */
  lastDeath: Death | null = null;
  readonly #supervised: Supervised;
  readonly #clock: SupervisionClock;
  readonly #restarts: Restarts;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = 0;
  /** How long the last thread took to load. */
  #loadMs = 0;
  /** `degraded`: the outage has been reported, and the recovery has not. */
  #state: 'well' | 'degraded' | 'closed' = 'well';

  constructor(options: RestartOptions, supervised: Supervised, clock: SupervisionClock) {
    this.#restarts = new Restarts(options);
    this.#supervised = supervised;
    this.#clock = clock;
  }

  #nowMs(): number {
    this.#clock.tick();
    return this.#clock.runningMs;
  }

  set options(options: RestartOptions) {
    this.#restarts.options = options;
  }

  /** The time until the next thread is started to replace a dead one; null: no start waits. */
  get nextStartInMs(): number | null {
    return this.#timer === null ? null : Math.max(0, this.#restarts.nextStartMs - this.#nowMs());
  }

  /** True if a thread may be started, either an additional one or a replacement for a dead one. */
  get mayStart(): boolean {
    return this.#restarts.nextStartMs <= this.#nowMs();
  }

  onStarted(): void {
    this.#restarts.started(this.#nowMs());
  }

  onLoaded(startedAtMs: number): void {
    const nowMs = this.#nowMs();
    this.#loadMs = nowMs - startedAtMs;
    this.#restarts.loaded(nowMs);
  }

  /**
   * Called when a thread has died. The pool calls `restore` once it has handled the thread's jobs.
   * @param isMissed whether the thread needs a replacement: no other thread has taken over its work
   * @returns whether too many have died, and how long its replacement has to wait
   */
  onDied(
    thread: string,
    cause: ErrorReport,
    hasLoaded: boolean,
    isMissed: boolean,
  ): { readonly isTooMany: boolean; readonly nextStartInMs: number } {
    const nowMs = this.#nowMs();
    this.deaths++;
    this.deathsBy[deathCauseOf(cause, hasLoaded)]++;
    this.lastDeath = { thread, cause, atMs: this.#clock.nowMs };
    const isTooMany = isMissed && this.#restarts.died(nowMs, hasLoaded);
    return { isTooMany, nextStartInMs: Math.max(0, this.#restarts.nextStartMs - nowMs) };
  }

  /** Starts the missing threads, as far as they may be started now. */
  restore(): void {
    const supervised = this.#supervised;
    while (this.#state !== 'closed' && supervised.missingThreads > 0) {
      if (!this.mayStart) {
        this.#restoreLater();
        break;
      }
      if (this.#restarts.isProbing && supervised.isStarting) break;
      supervised.startThread();
    }
    this.#tell();
  }

  #restoreLater(): void {
    const { nextStartMs } = this.#restarts;
    if (this.#timer !== null && this.#timerAtMs === nextStartMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = nextStartMs;
    const waitMs = Math.max(0, Math.ceil(nextStartMs - this.#nowMs()));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#restarts.due();
      this.restore();
    }, waitMs);
    if (this.#state === 'degraded') return;
    this.#state = 'degraded';
    this.#supervised.onDegraded(waitMs);
  }

  #tell(): void {
    const { readyThreads, isStarting, minThreads } = this.#supervised;
    const isOut = this.#timer !== null && readyThreads === 0 && !isStarting;
    this.#supervised.onOutage(isOut ? this.#restarts.nextStartMs + this.#loadMs : Number.NEGATIVE_INFINITY);
    if (this.#state !== 'degraded' || readyThreads < minThreads) return;
    this.#state = 'well';
    this.#supervised.onRecovered();
  }

  /** From now on, starts no more threads. */
  close(): void {
    this.#state = 'closed';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
