/** A thread of another version that runs beside a pool's threads until its owner accepts or refuses it. */
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
  /** Something else has ended it, before its owner accepted or refused it. */
  readonly isWithdrawn: boolean;
  /** The old thread finishes its jobs and ends. Resolves when it has ended. Idempotent. */
  accept(): Promise<void>;
  /**
   * The new thread finishes its jobs and ends; the old one continues. Idempotent; does nothing after
   * `accept`.
   */
  refuse(): void;
}
