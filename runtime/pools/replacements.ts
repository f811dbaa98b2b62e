/**
 * Replaces threads. A new thread is started and has to live for a while; then the old thread finishes what it
 * has and ends. If the new thread does not load, or dies too soon, the old one goes on.
 */

import { RunningTimer } from '../../wire/running-timer.ts';
import type { Incarnation } from './incarnation.ts';
import type { ThreadVersion } from './pool-options.ts';
import type { Thread } from './thread.ts';
import { ThreadEndCode, ThreadEndError } from './thread-end-error.ts';
import type { Trial } from './trial.ts';

/** Time for resets to leave the thread, and for its application to stop. */
const LAST_WORDS_MS = 500;

/** The pool whose threads these are. */
export interface ReplacementOwner {
  readonly isRunning: boolean;
  /** How long a thread may take to finish what it has. */
  readonly retireTimeoutMs: number;
  /** Undefined: the thread has ended. */
  incarnationOf(thread: Thread): Incarnation | undefined;
  spawn(version: ThreadVersion): Incarnation;
  /**
   * The thread takes no more jobs, and other threads may begin its unbegun ones. It ends when it has finished
   * the rest.
   */
  release(incarnation: Incarnation): void;
  /** The thread ends now, whatever it waits for. */
  end(incarnation: Incarnation, error: Error): void;
}

export class Replacements {
  readonly #owner: ReplacementOwner;
  /** Replacements that are under way, by the old thread. */
  readonly #replacing = new Map<Thread, Promise<void>>();
  #overlapping = 0;

  constructor(owner: ReplacementOwner) {
    this.#owner = owner;
  }

  /** New threads that have not been accepted or refused. */
  get overlapping(): number {
    return this.#overlapping;
  }

  /**
   * Starts a thread of that version. When that has lived for `minUptimeMs`, the old thread may finish what it
   * has, for at most `retireTimeoutMs`. Resolves when the old thread has ended. If the new thread does not
   * load, or dies too soon, the old one goes on.
   * @throws ApplicationLoadError
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
      trial.refuse();
      throw error;
    }
    await trial.accept();
  }

  /** Starts a thread that may stay or not. @param old the thread that it would replace; null: none */
  overlap(old: Incarnation | null, version: ThreadVersion): Trial {
    const incarnation = this.#owner.spawn(version);
    incarnation.replaces = old;
    this.#overlapping++;
    let state: 'open' | 'decided' = 'open';
    const decide = (): boolean => {
      if (state === 'decided') return false;
      state = 'decided';
      this.#overlapping--;
      return true;
    };
    return {
      thread: incarnation.thread,
      ready: incarnation.ready.promise,
      proven: incarnation.proven.promise,
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
   * The thread finishes what it has, and ends: another has taken its place, or the pool has too many.
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
      // The thread has nothing left to do. It ends by itself, unless it computes or its application does not
      // stop.
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
