/**
 * The options with which a pool's threads are started, and the replacement of healthy threads: those of an
 * older version when a pool changes, those that have served for long enough or have grown too large, and
 * those beyond `maxThreads`.
 */
import { ApplicationLoadError } from './application-load-error.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { ForcedEnds } from './forced-ends.ts';
import type { Incarnation } from './incarnation.ts';
import type { Members } from './members.ts';
import type { PoolOptions, ThreadOptions, ThreadVersion } from './pool-options.ts';
import { Recycling, type RecyclingCause, type RecyclingOwner } from './recycling.ts';
import { ReplacementWithdrawnError } from './replacement-withdrawn-error.ts';
import { type ReplacementOwner, Replacements } from './replacements.ts';
import type { Thread } from './thread.ts';
import type { Trial } from './trial.ts';

/** What renewal needs from the pool. */
export interface RenewalOwner extends Pick<ReplacementOwner, 'isRunning' | 'spawn' | 'release'> {
  readonly name: string;
  /** Starts missing threads. */
  restore(): void;
  onRecycled(thread: Thread, cause: RecyclingCause): void;
  /** The replacement did not load, or died at once: the old thread continues. */
  onNotRecycled(thread: Thread, error: unknown): void;
}

export class Renewal implements ReplacementOwner, RecyclingOwner {
  readonly #owner: RenewalOwner;
  readonly #members: Members;
  readonly #dispatcher: Dispatcher;
  readonly #ends: ForcedEnds;
  readonly #replacements = new Replacements(this);
  readonly #recycling: Recycling;
  #options: PoolOptions;
  #version: ThreadVersion;
  #versionCount = 0;
  /** Healthy threads that were replaced, since the start. */
  recycledThreads = 0;
  /** The same by cause. */
  readonly recycledFor: Record<RecyclingCause, number> = {
    exchanges: 0,
    age: 0,
    heap: 0,
    external: 0,
    memory: 0,
    asked: 0,
  };

  constructor(
    options: PoolOptions,
    members: Members,
    dispatcher: Dispatcher,
    ends: ForcedEnds,
    owner: RenewalOwner,
  ) {
    this.#options = options;
    this.#members = members;
    this.#dispatcher = dispatcher;
    this.#ends = ends;
    this.#owner = owner;
    this.#recycling = new Recycling(options.recycle, this);
    this.#version = this.createVersion(options);
  }

  set options(options: PoolOptions) {
    this.#options = options;
    this.#recycling.options = options.recycle;
  }

  // ---- versions

  /** The version of which threads are started now. */
  get version(): ThreadVersion {
    return this.#version;
  }

  /** Undefined: the thread has ended. */
  versionOf(thread: Thread): ThreadVersion | undefined {
    return this.#members.of(thread)?.version;
  }

  /** Makes a version, for `use`, `try` and `replaceThread`. It starts no thread. */
  createVersion(options: ThreadOptions): ThreadVersion {
    return { number: ++this.#versionCount, options };
  }

  /** From now on, threads are started with this version. Present threads keep theirs. */
  use(version: ThreadVersion): void {
    this.#version = version;
  }

  /** Threads of other versions that have no replacement yet, oldest first. */
  threadsBefore(version: ThreadVersion): Thread[] {
    const threads: Thread[] = [];
    for (const { thread, version: own, isRetired } of this.#members.incarnations) {
      if (own !== version && !isRetired && thread.state !== 'draining') threads.push(thread);
    }
    return threads;
  }

  /**
   * Starts a thread of that version on trial.
   * @param old the thread that it would replace; default: the oldest that takes jobs
   * @throws ApplicationLoadError if so many threads cannot be ended that another would only be one more
   */
  try(version: ThreadVersion, old?: Thread): Trial {
    const { unended } = this.#ends;
    if (old === undefined && unended > this.#options.maxThreads) {
      const message = `${unended} threads that were told to end still run, and this may be one more: start the server again`;
      const report = { name: 'UnendedThreadsError', message, stack: '' };
      throw new ApplicationLoadError(this.#owner.name, version.options.host.application, report);
    }
    const replaced = old ?? this.threadsBefore(version).find(({ state }) => state === 'ready');
    return this.#replacements.overlap((replaced && this.#members.of(replaced)) ?? null, version);
  }

  // ---- replacement

  /** Threads that are being replaced. */
  get overlappingThreads(): number {
    return this.#replacements.overlapping;
  }

  /** See `Replacements.replace`. @throws ApplicationLoadError, ReplacementWithdrawnError */
  async replaceThread(thread: Thread, version = this.#version): Promise<void> {
    await this.#replacements.replace(thread, version);
    // The pool may have got a smaller maximum meanwhile, for which the thread on trial did not count.
    this.retireSurplus();
  }

  /**
   * Replaces a healthy thread.
   * @throws ApplicationLoadError if the replacement did not load; the old thread continues, and the observer
   * has been told
   * @throws ReplacementWithdrawnError if a reload replaces the pool's threads
   */
  async recycle(thread: Thread, cause: RecyclingCause): Promise<void> {
    this.#owner.onRecycled(thread, cause);
    try {
      await this.replaceThread(thread);
      this.recycledThreads++;
      this.recycledFor[cause]++;
    } catch (error) {
      if (!(error instanceof ReplacementWithdrawnError)) this.#owner.onNotRecycled(thread, error);
      throw error;
    }
  }

  /**
   * Recycles threads that are due. May be called at any time at which the pool has all threads that it needs.
   */
  recycleDue(nowMs: number): void {
    // While other threads are being replaced, for instance by a reload, none is recycled.
    if (this.#replacements.overlapping > this.#recycling.underWay) return;
    this.#recycling.look(this.#dispatcher.threads, nowMs);
  }

  /**
   * Ends a thread without a replacement, because the pool has too many. Resolves when the thread has ended.
   */
  async retireThread(thread: Thread): Promise<void> {
    const incarnation = this.#members.of(thread);
    if (incarnation === undefined) return;
    this.#replacements.retire(incarnation);
    await incarnation.gone.promise;
    this.#owner.restore();
  }

  /**
   * Ends threads beyond `maxThreads` when they have finished their jobs. Threads that still load come first,
   * then those with the fewest jobs. Those on trial neither count nor end: a reload or a recycling must not fail for
   * it, and looks again when it is over.
   */
  retireSurplus(): void {
    const candidates = [...this.#members.incarnations]
      .filter(({ thread, isRetired, isOnTrial }) => !isRetired && !isOnTrial && thread.state !== 'draining')
      .sort((one, other) => workOf(one.thread) - workOf(other.thread));
    const surplus = candidates.length - this.#options.maxThreads;
    for (const { thread } of candidates.slice(0, Math.max(0, surplus))) void this.retireThread(thread);
  }

  // ---- ReplacementOwner and RecyclingOwner

  get isRunning(): boolean {
    return this.#owner.isRunning;
  }

  get retireTimeoutMs(): number {
    return this.#options.retireTimeoutMs;
  }

  get readyThreads(): number {
    return this.#dispatcher.threads.length;
  }

  incarnationOf(thread: Thread): Incarnation | undefined {
    return this.#members.of(thread);
  }

  spawn(version: ThreadVersion): Incarnation {
    return this.#owner.spawn(version);
  }

  release(incarnation: Incarnation): void {
    this.#owner.release(incarnation);
  }

  end(incarnation: Incarnation, error: Error): void {
    this.#ends.end(incarnation, error);
  }
}

/** -1: the thread is still loading its application. */
function workOf({ state, outstanding }: Thread): number {
  return state === 'starting' ? -1 : outstanding;
}
