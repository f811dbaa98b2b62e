/** A thread of another version beside those that a pool has, until somebody accepts or refuses it. */
import type { Thread } from './thread.ts';

export interface Trial {
  readonly thread: Thread;
  /**
   * Resolves when its application is loaded, and it takes jobs. Rejects with an `ApplicationLoadError` if it
   * dies before.
   */
  readonly ready: Promise<void>;
  /** Resolves when it has lived for `minUptimeMs` since then. Rejects if it dies before. */
  readonly proven: Promise<void>;
  /** The thread that it replaces finishes what it has, and ends. Resolves when that has ended. Idempotent. */
  accept(): Promise<void>;
  /**
   * The new thread finishes what it has, and ends; the old one goes on. Idempotent, and does nothing after
   * `accept`.
   */
  refuse(): void;
}
