/** Who stands around a pool, and what it tells them. A pool is theirs to name: these are contracts, and know none of its parts. */
import type { PrintStream } from '../../wire/control.ts';
import type { ErrorReport } from '../../wire/error-report.ts';
import type { Casualties } from './casualties.ts';
import type { Overdue } from './hung-threads.ts';
import type { RecyclingCause } from './recycling.ts';
import type { Thread } from './thread.ts';
import type { Turns } from './turns.ts';

/** What a pool tells about itself; the server logs it. */
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
  /** A thread has not come back to its event loop for longer than it may. It is ended soon, unless it does. */
  onThreadOverdue(pool: Pool, thread: string, overdue: Overdue): void;
  /** It has. */
  onThreadBack(pool: Pool, thread: string, awayMs: number): void;
  /** Processes that a thread waited for, and that were ended with it. */
  onChildrenEnded(pool: Pool, thread: string, processIds: readonly number[]): void;
  /** Another is started in the place of a thread that is well. */
  onThreadRecycled(pool: Pool, thread: string, cause: RecyclingCause): void;
  /** That did not load, or died at once: the thread goes on. */
  onThreadNotRecycled(pool: Pool, thread: string, error: unknown): void;
  /** Fewer threads than the minimum take jobs, and it will stay so for a while. */
  onDegraded(pool: Pool, nextStartInMs: number): void;
  /** It has its minimum of threads again. */
  onRecovered(pool: Pool): void;
  /** More threads have died than `restart` allows, which says that this is the end. */
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
  /** The application of a thread that ends did not stop as it should. */
  onStopFailed(pool: Pool, thread: string, error: ErrorReport): void;
}

/** Who wants to know which threads there are, while a profile runs. */
export interface ThreadFollower<Pool> {
  /** It runs, and loads its application. */
  onThreadBegan(pool: Pool, thread: Thread): void;
  /** Its application has stopped, and it ends when this resolves. */
  onThreadEnding(pool: Pool, thread: Thread): Promise<void>;
  /** Undefined: it was told to. */
  onThreadGone(pool: Pool, thread: Thread, cause: ErrorReport | undefined): void;
}

/** Where the reactor's turns take the threads in and out. */
export interface ThreadRegistry extends Turns {
  addThread(thread: Thread): void;
  removeThread(thread: Thread): void;
  /** `nowMs` for what no turn has called. */
  tick(): number;
}
