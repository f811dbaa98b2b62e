/**
 * Contracts between a pool and its users: what a pool tells them. The type of the pool is a parameter, so
 * this file depends on none of its parts.
 */
import type { PrintStream } from '../../wire/control.ts';
import type { ErrorReport } from '../../wire/error-report.ts';
import type { Casualties } from './casualties.ts';
import type { Overdue } from './hung-threads.ts';
import type { RecyclingCause } from './recycling.ts';
import type { Thread } from './thread.ts';
import type { Turns } from './turns.ts';

/** What a pool reports about itself; the server logs it. */
export interface PoolObserver<Pool> {
  onThreadStarted(pool: Pool, thread: string): void;
  /** @param nextStartInMs until a thread is started in its place; 0: at once */
  onThreadDied(
    pool: Pool,
    thread: string,
    cause: ErrorReport,
    casualties: Casualties,
    nextStartInMs: number,
  ): void;
  /**
   * A thread has stayed away from its event loop for longer than allowed. It is ended soon, unless it
   * returns.
   */
  onThreadOverdue(pool: Pool, thread: string, overdue: Overdue): void;
  /** The thread was overdue, and has returned. */
  onThreadBack(pool: Pool, thread: string, awayMs: number): void;
  /** Child processes were ended because an ended thread waited for them. */
  onChildrenEnded(pool: Pool, thread: string, processIds: readonly number[]): void;
  /** A healthy thread is being replaced. */
  onThreadRecycled(pool: Pool, thread: string, cause: RecyclingCause): void;
  /** The replacement did not load, or died at once: the old thread continues. */
  onThreadNotRecycled(pool: Pool, thread: string, error: unknown): void;
  /** Fewer threads than the minimum take jobs, and that will last for a while. */
  onDegraded(pool: Pool, nextStartInMs: number): void;
  /** The pool has its minimum of threads again. */
  onRecovered(pool: Pool): void;
  /** More threads have died than `restart` allows, and `giveUp` is set. */
  onGaveUp(pool: Pool, cause: ErrorReport): void;
  /** @param requestId empty: requests have none */
  onApplicationError(
    pool: Pool,
    error: ErrorReport,
    method: string,
    path: string,
    suppressed: number,
    requestId: string,
  ): void;
  /** More was printed at once than may wait in a thread. */
  onPrintsDropped(pool: Pool, thread: string, stream: PrintStream, writes: number): void;
  /** The application of an ending thread failed to stop. */
  onStopFailed(pool: Pool, thread: string, error: ErrorReport): void;
}

/** Follows the threads of a pool while a profile runs. */
export interface ThreadFollower<Pool> {
  /** The thread runs, and loads its application. */
  onThreadBegan(pool: Pool, thread: Thread): void;
  /** The application has stopped, and the thread ends when this resolves. */
  onThreadEnding(pool: Pool, thread: Thread): Promise<void>;
  /** @param cause undefined: the thread was told to end */
  onThreadGone(pool: Pool, thread: Thread, cause: ErrorReport | undefined): void;
}

/** The reactor, whose turns visit the threads that are registered. */
export interface ThreadRegistry extends Turns {
  addThread(thread: Thread): void;
  removeThread(thread: Thread): void;
  /** Brings `nowMs` up to the present. */
  tick(): number;
}
