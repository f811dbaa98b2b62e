/** Starts one more thread, or ends an idle one, as `Sizer` decides. */
import type { Dispatcher } from './dispatcher.ts';
import type { Members } from './members.ts';
import type { PoolOptions } from './pool-options.ts';
import { type PoolLoad, Sizer, type SizingOptions } from './sizing.ts';
import type { Supervision } from './supervision.ts';
import type { Thread } from './thread.ts';
import type { Turns } from './turns.ts';

export interface ResizingOwner {
  /** Threads that are being replaced. Meanwhile no idle thread ends. */
  readonly overlappingThreads: number;
  startThread(): void;
  /** The thread finishes its jobs and ends. */
  drainThread(thread: Thread): void;
}

export class Resizing implements PoolLoad {
  readonly #turns: Turns;
  readonly #dispatcher: Dispatcher;
  readonly #members: Members;
  readonly #supervision: Supervision;
  readonly #owner: ResizingOwner;
  readonly #sizer: Sizer;
  #maxThreads: number;

  constructor(
    options: PoolOptions,
    turns: Turns,
    dispatcher: Dispatcher,
    members: Members,
    supervision: Supervision,
    owner: ResizingOwner,
  ) {
    this.#turns = turns;
    this.#dispatcher = dispatcher;
    this.#members = members;
    this.#supervision = supervision;
    this.#owner = owner;
    this.#sizer = new Sizer(sizingOptions(options), turns.runningMs);
    this.#maxThreads = options.maxThreads;
  }

  set options(options: PoolOptions) {
    this.#sizer.options = sizingOptions(options);
    this.#maxThreads = options.maxThreads;
  }

  /** May be called at any time. */
  look(): void {
    const what = this.#sizer.decide(this);
    if (what === 'grow') this.#owner.startThread();
    else if (what === 'shrink' && this.#owner.overlappingThreads === 0) this.#endIdleThread();
  }

  /** Ends the thread that has been idle for longest. While every thread has work, none ends. */
  #endIdleThread(): void {
    let longest: Thread | null = null;
    for (const thread of this.#dispatcher.threads) {
      if (thread.outstanding > 0) continue;
      if (longest === null || thread.idleSinceMs < longest.idleSinceMs) longest = thread;
    }
    if (longest === null) return;
    this.#sizer.ended(this.nowMs);
    this.#owner.drainThread(longest);
  }

  // ---- PoolLoad

  get nowMs(): number {
    return this.#turns.runningMs;
  }

  get readyThreads(): number {
    return this.#dispatcher.threads.length;
  }

  get mayGrow(): boolean {
    const { unretired, isStarting } = this.#members;
    return unretired < this.#maxThreads && !isStarting && this.#supervision.mayStart;
  }

  get longestWaitMs(): number {
    return this.#dispatcher.longestWaitMs;
  }

  /** Measured by the event loops of the threads that take jobs. */
  busyMs(): number {
    let busyMs = 0;
    for (const thread of this.#dispatcher.threads) {
      busyMs += this.#members.of(thread)?.worker?.performance.eventLoopUtilization().active ?? 0;
    }
    return busyMs;
  }
}

function sizingOptions(options: PoolOptions): SizingOptions {
  return { ...options, shrinkAfterMs: options.idleTimeoutMs };
}
