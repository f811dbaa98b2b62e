/**
 * Replaces threads. A new thread is started and must live for a while; then the old thread finishes its jobs
 * and ends. If the new thread does not load, or dies too soon, the old one continues.
 */
import { RunningTimer } from '../../wire/running-timer.ts';
import type { Incarnation } from './incarnation.ts';
import type { ThreadVersion } from './pool-options.ts';
import { ReplacementWithdrawnError } from './replacement-withdrawn-error.ts';
import type { Thread } from './thread.ts';
import { ThreadEndCode, ThreadEndError } from './thread-end-error.ts';
import type { Trial } from './trial.ts';

/** The time for resets to leave the thread, and for its application to stop. */
const LAST_WORDS_MS = 500;

/** The pool whose threads these are. */
export interface ReplacementOwner {
  readonly isRunning: boolean;
  /** How long a thread may take to finish its jobs. */
  readonly retireTimeoutMs: number;
  /** Undefined: the thread has ended. */
  incarnationOf(thread: Thread): Incarnation | undefined;
  spawn(version: ThreadVersion): Incarnation;
  /**
   * The thread takes no more jobs, and other threads may begin its unbegun ones. It ends when it has finished
   * the others.
   */
  release(incarnation: Incarnation): void;
  /** The thread ends now, whatever it waits for. */
  end(incarnation: Incarnation, error: Error): void;
}

export class Replacements {
  readonly #owner: ReplacementOwner;
  /** Replacements in progress, by the old thread. */
  readonly #replacing = new Map<Thread, Promise<void>>();
  #overlapping = 0;

  constructor(owner: ReplacementOwner) {
    this.#owner = owner;
  }

  /** New threads that have been neither accepted nor refused. */
  get overlapping(): number {
    return this.#overlapping;
  }

  /**
   * Starts a thread of that version. When that has lived for `minUptimeMs`, the old thread may finish what it
   * has, for at most `retireTimeoutMs`. Resolves when the old thread has ended. If the new thread does not
   * load, or dies too soon, the old one continues.
   * @throws ApplicationLoadError, ReplacementWithdrawnError
   */
  replace(thread: Thread, version: ThreadVersion): Promise<void> {
    const underWay = this.#replacing.get(thread);
    if (underWay !== undefined) return underWay;
    const replaced = this.#replaceOne(thread, version).finally(() => this.#replacing.delete(thread));
    this.#replacing.set(thread, replaced);
    return replaced;
  }

  async #replaceOne(thread: Thread, version: ThreadVersion): Promise<void> {
    const old = this.#owner.incarnationOf(thread);
    if (old === undefined || !this.#owner.isRunning) return;
    const trial = this.overlap(old, version);
    try {
      await trial.proven;
    } catch (error) {
      const { isWithdrawn } = trial;
      trial.refuse();
      throw isWithdrawn ? new ReplacementWithdrawnError(thread.name) : error;
    }
    if (trial.isWithdrawn) {
      trial.refuse();
      throw new ReplacementWithdrawnError(thread.name);
    }
    await trial.accept();
  }

  /** Starts a thread on trial. @param old the thread that it would replace; null: none */
  overlap(old: Incarnation | null, version: ThreadVersion): Trial {
    const incarnation = this.#owner.spawn(version);
    incarnation.replaces = old;
    incarnation.isOnTrial = true;
    this.#overlapping++;
    let state: 'open' | 'decided' = 'open';
    const decide = (): boolean => {
      if (state === 'decided') return false;
      state = 'decided';
      incarnation.isOnTrial = false;
      this.#overlapping--;
      return true;
    };
    return {
      thread: incarnation.thread,
      ready: incarnation.ready.promise,
      proven: incarnation.proven.promise,
      get isWithdrawn() {
        return state === 'open' && incarnation.isRetired;
      },
      accept: async () => {
        if (decide()) {
          incarnation.replaces = null;
          if (old !== null) this.retire(old);
        }
        await old?.gone.promise;
      },
      refuse: () => {
        if (decide() && this.#owner.incarnationOf(incarnation.thread) !== undefined) this.retire(incarnation);
      },
    };
  }

  /**
   * The thread finishes its jobs and ends, because another has taken its place or the pool has too many.
   * Idempotent.
   */
  retire(incarnation: Incarnation): void {
    const { thread } = incarnation;
    if (incarnation.isRetired) return;
    incarnation.isRetired = true;
    if (thread.state === 'starting') {
      incarnation.abort(new Error('it is not wanted any more'));
      return;
    }
    this.#owner.release(incarnation);
    const { retireTimeoutMs } = this.#owner;
    let timer = new RunningTimer(retireTimeoutMs, () => {
      thread.expire();
      // The thread has no jobs left. It ends by itself, unless it computes or its application does not stop.
      timer = new RunningTimer(LAST_WORDS_MS, () =>
        this.#owner.end(
          incarnation,
          new ThreadEndError(
            ThreadEndCode.Retired,
            `another took its place, and it had not ended within ${retireTimeoutMs} ms`,
          ),
        ),
      );
    });
    incarnation.gone.promise.then(() => timer.cancel());
  }
}
