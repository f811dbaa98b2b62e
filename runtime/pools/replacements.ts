/**
 * Threads in the places of others: another is started and has to live for a while, and then the old one finishes what it has and ends. When
 * the new one does not load, or dies too soon, the old one goes on.
 */
import type { Incarnation } from './incarnation.ts';
import type { ThreadVersion } from './pool-options.ts';
import { RunningTimer } from './running-timer.ts';
import type { Thread } from './thread.ts';
import { ThreadEndCode, ThreadEndError } from './thread-end-error.ts';
import type { Trial } from './trial.ts';

/** For what has been reset to leave the thread, and for its application to stop. */
const LAST_WORDS_MS = 500;

/** Whose threads they are. */
export interface ReplacementOwner {
  readonly isRunning: boolean;
  /** How long a thread may take to finish what it has. */
  readonly retireTimeoutMs: number;
  /** Undefined: the thread has ended. */
  incarnationOf(thread: Thread): Incarnation | undefined;
  spawn(version: ThreadVersion): Incarnation;
  /** It takes nothing more, and others may begin what it has not begun. It ends when it has finished the rest. */
  release(incarnation: Incarnation): void;
  /** It ends now, whatever it waits for. */
  end(incarnation: Incarnation, error: Error): void;
}

export class Replacements {
  readonly #owner: ReplacementOwner;
  /** Threads that others are started for. */
  readonly #replacing = new Map<Thread, Promise<void>>();
  #overlapping = 0;

  constructor(owner: ReplacementOwner) {
    this.#owner = owner;
  }

  /** Threads that a replacement is started for. */
  get overlapping(): number {
    return this.#overlapping;
  }

  /**
   * Starts a thread of that version, and when it has lived for `minUptimeMs` lets the other one finish what it has, for
   * `retireTimeoutMs` at most. Resolves when that one has ended. When the new one does not load, or dies too soon, the old one goes on.
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

  /** Starts a thread, and leaves it open whether it stays. @param old in whose place; null: nobody's */
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

  /** It finishes what it has, and ends: another has taken its place, or there is none. Idempotent. */
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
      // It has nothing left to do, and ends by itself, unless it computes or its application does not stop.
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
