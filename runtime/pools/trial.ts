/** A thread of another version, beside those that a pool has, until somebody has decided about it. */
import type { Thread } from './thread.ts';

export interface Trial {
  readonly thread: Thread;
  /** Resolves when its application is loaded, and it takes jobs; rejects with an `ApplicationLoadError` when it has died before. */
  readonly ready: Promise<void>;
  /** Resolves when it has lived for `minUptimeMs` since; rejects when it has died before. */
  readonly proven: Promise<void>;
  /** The thread in whose place it came finishes what it has, and ends; resolves when it has. Idempotent. */
  accept(): Promise<void>;
  /** It finishes what it has, and ends, and the other one goes on. Idempotent, and nothing behind `accept`. */
  refuse(): void;
}
