/**
 * A pool: threads that run one application, and their supervision.
 *
 * A thread that dies is replaced, its unbegun jobs move on and its begun ones are lost. When many die the pool waits before it starts
 * more (restarts.ts), and has fewer threads than its minimum until then: it is degraded. While it has none, its jobs wait in the queue,
 * unless they would have to wait for too long.
 */
import { url as inspectorUrl } from 'node:inspector';
import type { MessagePort, Worker } from 'node:worker_threads';
import type { PrintStream, ThreadStats } from '../../wire/control.ts';
import type { ErrorReport } from '../../wire/error-report.ts';
import { ApplicationLoadError } from './application-load-error.ts';
import { Dispatcher } from './dispatcher.ts';
import { ForcedEnds } from './forced-ends.ts';
import { type HangObserver, type HungThreadError, HungThreads, type Overdue } from './hung-threads.ts';
import { Incarnation, type IncarnationOwner } from './incarnation.ts';
import type * as contracts from './pool-contracts.ts';
import type { PoolOptions, ThreadOptions, ThreadVersion } from './pool-options.ts';
import { Recycling, type RecyclingCause, type RecyclingOwner } from './recycling.ts';
import { type ReplacementOwner, Replacements } from './replacements.ts';
import { type PoolLoad, Sizer, type SizingOptions } from './sizing.ts';
import { type Death, type Supervised, Supervision } from './supervision.ts';
import { Tally } from './tally.ts';
import type { Thread } from './thread.ts';
import type { Trial } from './trial.ts';

export type PoolObserver = contracts.PoolObserver<Pool>;
export type ThreadFollower = contracts.ThreadFollower<Pool>;

export type PoolState = 'starting' | 'running' | 'degraded' | 'draining';

export class Pool
  implements IncarnationOwner, Supervised, HangObserver, PoolLoad, RecyclingOwner, ReplacementOwner
{
  readonly name: string;
  readonly dispatcher: Dispatcher;
  follower: ThreadFollower | null = null;
  #options: PoolOptions;
  readonly #observer: PoolObserver;
  readonly #turns: contracts.ThreadRegistry;
  /** When it was last looked whether there are threads enough. */
  #grownAtMs = Number.NEGATIVE_INFINITY;
  readonly #incarnations = new Map<Thread, Incarnation>();
  /** What threads are started with. */
  #version: ThreadVersion;
  #versionCount = 0;
  /** `starting`: a thread that does not load is the failure of `start`, not a death to make good. */
  #state: 'starting' | 'running' | 'draining' = 'starting';
  #drainAnnounced = false;
  #keepAliveTimeoutMs: number | null = null;
  #whenEmpty: PromiseWithResolvers<void> | null = null;
  #spawned = 0;
  /** Of threads that are gone. */
  readonly #pastTally = new Tally();
  readonly #supervision: Supervision;
  readonly #recycling: Recycling;
  readonly #replacements = new Replacements(this);
  /** Threads that were replaced although they were well, ever. */
  recycledThreads = 0;
  /** The same by why. */
  readonly recycledFor: Record<RecyclingCause, number> = {
    exchanges: 0,
    age: 0,
    heap: 0,
    external: 0,
    memory: 0,
    asked: 0,
  };
  readonly #hungThreads: HungThreads;
  readonly #sizer: Sizer;
  readonly #ends = new ForcedEnds({
    onChildrenEnded: (thread, processIds) => this.#observer.onChildrenEnded(this, thread, processIds),
    onEnd: () => {
      if (this.#state === 'running') this.#supervision.restore();
    },
  });
  /** Threads that stand still while their heap is looked at. */
  readonly #halted = new Set<Thread>();
  /** The threads of the start, until they have lived for `minUptimeMs`. */
  readonly #unproven = new Set<Incarnation>();
  readonly #startFailed = Promise.withResolvers<never>();

  constructor(options: PoolOptions, turns: contracts.ThreadRegistry, observer: PoolObserver) {
    this.name = options.name;
    this.#options = options;
    this.#turns = turns;
    this.#observer = observer;
    this.#supervision = new Supervision(options.restart, this, turns);
    this.#hungThreads = new HungThreads(options, this);
    this.#sizer = new Sizer(sizingOptions(options), turns.runningMs);
    this.#recycling = new Recycling(options.recycle, this);
    this.#startFailed.promise.catch(() => undefined);
    this.dispatcher = new Dispatcher(options, turns, () => this.#grow());
    this.#version = this.createVersion(options);
  }

  get state(): PoolState {
    const isShort = this.readyThreads < this.minThreads;
    return this.#state === 'running' && isShort ? 'degraded' : this.#state;
  }

  get threads(): Iterable<Thread> {
    return this.#incarnations.keys();
  }

  get threadCount(): number {
    return this.#incarnations.size;
  }

  /** As `Incarnation.stats`; null: the thread has ended. */
  async statsOf(thread: Thread): Promise<ThreadStats | null> {
    return (await this.#incarnations.get(thread)?.stats()) ?? null;
  }

  /** Of the threads that there are and were. */
  get tally(): Tally {
    const all = new Tally();
    all.add(this.#pastTally);
    for (const { tally } of this.#incarnations.keys()) all.add(tally);
    return all;
  }

  /** Threads that have been started, and those of them that have died, ever. */
  get startedThreads(): number {
    return this.#spawned;
  }

  get diedThreads(): number {
    return this.#supervision.deaths;
  }

  /** Of those that have died, those that were ended because they hung. */
  get hungThreads(): number {
    return this.#hungThreads.ended;
  }

  /** Threads that were ended and that still run, since they are in native code or in a call of the system's. */
  get unendedThreads(): number {
    return this.#ends.unended;
  }

  /** Null: none has died. */
  get lastDeath(): Death | null {
    return this.#supervision.lastDeath;
  }

  /** Until the next thread is started in the place of one that has died; null: none is missing. */
  get nextStartInMs(): number | null {
    return this.#supervision.nextStartInMs;
  }

  /**
   * Rejects with an `ApplicationLoadError` when a thread of the start dies within `minUptimeMs`, before it has begun anything: what its
   * application does while it loads may fail a moment later. Never resolves.
   */
  get startFailed(): Promise<never> {
    return this.#startFailed.promise;
  }

  /** The thread as Node has it; null: it has ended. */
  workerOf(thread: Thread): Worker | null {
    return this.#incarnations.get(thread)?.worker ?? null;
  }

  /** As `ThreadControl.sendHeapSnapshot`. Never answered by one that dies first, or computes for ever. */
  async sendHeapSnapshot(thread: Thread, port: MessagePort): Promise<void> {
    const incarnation = this.#incarnations.get(thread);
    if (incarnation === undefined) throw new Error(`thread ${thread.name} has ended`);
    this.#halted.add(thread);
    try {
      return await incarnation.sendHeapSnapshot(port);
    } finally {
      this.#halted.delete(thread);
    }
  }

  /**
   * Starts the minimum of threads; resolves when the application is loaded in each.
   * @throws ApplicationLoadError
   */
  async start(): Promise<void> {
    const starting: Promise<void>[] = [];
    while (this.#incarnations.size < this.#options.minThreads) {
      const incarnation = this.spawn();
      this.#unproven.add(incarnation);
      incarnation.proven.promise.then(
        () => this.#unproven.delete(incarnation),
        () => undefined,
      );
      starting.push(incarnation.ready.promise);
    }
    await Promise.all(starting);
    if (this.#state === 'starting') this.#state = 'running';
  }

  spawn(version = this.#version): Incarnation {
    const name = `${this.name}-${++this.#spawned}`;
    this.#turns.tick();
    const incarnation = new Incarnation(name, version, this, this.#turns, this.#turns.runningMs);
    this.#incarnations.set(incarnation.thread, incarnation);
    this.#turns.addThread(incarnation.thread);
    this.#supervision.onStarted();
    incarnation.start();
    return incarnation;
  }

  // ---- replacement

  /** What threads are started with now. */
  get version(): ThreadVersion {
    return this.#version;
  }

  /** Undefined: the thread has ended. */
  versionOf(thread: Thread): ThreadVersion | undefined {
    return this.#incarnations.get(thread)?.version;
  }

  /** Another version, for `use`, `try` and `replaceThread`. No thread is started of it yet. */
  createVersion(options: ThreadOptions): ThreadVersion {
    return { number: ++this.#versionCount, options };
  }

  /** Threads are started of this version from now on; those that there are stay as they are. */
  use(version: ThreadVersion): void {
    this.#version = version;
  }

  /** What is said of the pool, and not of its threads, is so from now on. Jobs that wait stay. */
  reconfigure(options: PoolOptions): void {
    this.#options = options;
    this.dispatcher.options = options;
    this.#hungThreads.options = options;
    this.#sizer.options = sizingOptions(options);
    this.#recycling.options = options.recycle;
    this.#supervision.options = options.restart;
    if (this.#state === 'running') this.#supervision.restore();
  }

  /** Resolves when each thread that there is has lived for `minUptimeMs`; rejects when one has died before. */
  async proven(): Promise<void> {
    await Promise.all([...this.#incarnations.values()].map((incarnation) => incarnation.proven.promise));
  }

  /** Threads of other versions, without those in whose place another has come; the oldest first. */
  threadsBefore(version: ThreadVersion): Thread[] {
    const threads: Thread[] = [];
    for (const { thread, version: own, isRetired } of this.#incarnations.values()) {
      if (own !== version && !isRetired && thread.state !== 'draining') threads.push(thread);
    }
    return threads;
  }

  /**
   * Starts a thread of that version, and leaves it open whether it stays.
   * @param old in whose place; default: the oldest that takes jobs
   * @throws ApplicationLoadError where so many cannot be ended that another would only be one more
   */
  try(version: ThreadVersion, old?: Thread): Trial {
    if (old === undefined && this.#ends.unended > this.#options.maxThreads) {
      const message = `${this.#ends.unended} threads that were told to end still run, and this may be one more: start the server again`;
      const report = { name: 'UnendedThreadsError', message, stack: '' };
      throw new ApplicationLoadError(this.name, version.options.host.application, report);
    }
    const replaced = old ?? this.threadsBefore(version).find(({ state }) => state === 'ready');
    return this.#replacements.overlap((replaced && this.#incarnations.get(replaced)) ?? null, version);
  }

  /**
   * Starts a thread of that version, and when it has lived for `minUptimeMs` lets the other one finish what it has, for
   * `retireTimeoutMs` at most. Resolves when that one has ended. When the new one does not load, or dies too soon, the old one goes on.
   * @throws ApplicationLoadError
   */
  replaceThread(thread: Thread, version = this.#version): Promise<void> {
    return this.#replacements.replace(thread, version);
  }

  /**
   * Replaces a thread that is well.
   * @throws ApplicationLoadError the replacement did not load: the thread goes on, and the observer has been told
   */
  async recycle(thread: Thread, cause: RecyclingCause): Promise<void> {
    this.#observer.onThreadRecycled(this, thread.name, cause);
    try {
      await this.replaceThread(thread);
      this.recycledThreads++;
      this.recycledFor[cause]++;
    } catch (error) {
      this.#observer.onThreadNotRecycled(this, thread.name, error);
      throw error;
    }
  }

  /** Ends a thread in whose place there is none: there are more than there may be. Resolves when it has ended. */
  async retireThread(thread: Thread): Promise<void> {
    const incarnation = this.#incarnations.get(thread);
    if (incarnation === undefined) return;
    this.#replacements.retire(incarnation);
    await incarnation.gone.promise;
    this.#supervision.restore();
  }

  /** Threads beyond `maxThreads` end when they have finished what they have: those that still load first, then those with the least to do. */
  retireSurplus(): void {
    const candidates = [...this.#incarnations.values()]
      .filter(({ thread, isRetired }) => !isRetired && thread.state !== 'draining')
      .sort((one, other) => workOf(one.thread) - workOf(other.thread));
    const surplus = candidates.length - this.#options.maxThreads;
    for (const { thread } of candidates.slice(0, Math.max(0, surplus))) void this.retireThread(thread);
  }

  // ---- ReplacementOwner

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get retireTimeoutMs(): number {
    return this.#options.retireTimeoutMs;
  }

  incarnationOf(thread: Thread): Incarnation | undefined {
    return this.#incarnations.get(thread);
  }

  release(incarnation: Incarnation): void {
    this.#drainThread(incarnation);
    // Others may begin it sooner.
    this.dispatcher.resubmit(incarnation.thread.takeUnbegun());
    this.#supervision.restore();
  }

  end(incarnation: Incarnation, error: Error): void {
    this.#ends.end(incarnation, error);
  }

  // ---- IncarnationOwner

  onBegan({ thread }: Incarnation): void {
    this.follower?.onThreadBegan(this, thread);
  }

  async onEnding({ thread }: Incarnation): Promise<void> {
    await this.follower?.onThreadEnding(this, thread);
  }

  onReady(incarnation: Incarnation, keepAliveTimeoutMs: number | null): void {
    const { thread } = incarnation;
    if (thread.state !== 'starting') return;
    this.#keepAliveTimeoutMs = keepAliveTimeoutMs;
    thread.state = 'ready';
    thread.idleSinceMs = this.#turns.tick();
    this.#supervision.onLoaded(incarnation.startedAtMs);
    this.dispatcher.threads.push(thread);
    incarnation.loaded();
    if (this.#drainAnnounced) incarnation.announceDrain();
    this.#observer.onThreadStarted(this, thread.name);
    this.#supervision.restore();
    this.dispatcher.onRoom(thread);
  }

  onEnded(incarnation: Incarnation): void {
    // Nothing that it had not begun is lost with it.
    this.dispatcher.resubmit(this.#remove(incarnation));
    this.follower?.onThreadGone(this, incarnation.thread, undefined);
    this.#grow();
  }

  onDied(incarnation: Incarnation, cause: ErrorReport): void {
    const { thread, replaces } = incarnation;
    const wasStarting = thread.state === 'starting';
    const unbegun = this.#remove(incarnation);
    this.follower?.onThreadGone(this, thread, cause);
    const error = this.#loadError(incarnation, cause);
    incarnation.failed(error);
    if (incarnation.isAborted) this.#ends.watch(incarnation.worker);
    if (this.#unproven.delete(incarnation) && thread.tally.ended === 0) this.#startFailed.reject(error);
    if (wasStarting && this.#state === 'starting') return;
    // The one that it was to replace goes on: whoever replaces it hears why not.
    const isMissed =
      !incarnation.isRetired && (replaces === null || !this.#incarnations.has(replaces.thread));
    if (wasStarting && !isMissed) return;
    if (this.#state !== 'draining') this.#tellDeath(incarnation, cause, wasStarting, isMissed);
    this.dispatcher.resubmit(unbegun);
    this.#supervision.restore();
  }

  #tellDeath(
    { thread, isRetired }: Incarnation,
    cause: ErrorReport,
    wasStarting: boolean,
    isMissed: boolean,
  ): void {
    const { name, casualties } = thread;
    if (isRetired && casualties.first.length === 0) {
      this.#observer.onStopFailed(this, name, cause);
      return;
    }
    const { isTooMany, nextStartInMs } = this.#supervision.onDied(name, cause, !wasStarting, isMissed);
    this.#observer.onThreadDied(this, name, cause, casualties, nextStartInMs);
    if (isTooMany && this.#options.restart.giveUp) this.#observer.onGaveUp(this, cause);
  }

  onApplicationError(
    _incarnation: Incarnation,
    error: ErrorReport,
    method: string,
    path: string,
    suppressed: number,
    requestId: string,
  ): void {
    this.#observer.onApplicationError(this, error, method, path, suppressed, requestId);
  }

  onPrintsDropped({ thread }: Incarnation, stream: PrintStream, writes: number): void {
    this.#observer.onPrintsDropped(this, thread.name, stream, writes);
  }

  onStopFailed({ thread }: Incarnation, error: ErrorReport): void {
    this.#observer.onStopFailed(this, thread.name, error);
  }

  onRoom(thread: Thread): void {
    this.dispatcher.onRoom(thread);
  }

  onCorrupt(thread: Thread, error: Error): void {
    this.#incarnations.get(thread)?.abort(error);
  }

  #loadError({ version }: Incarnation, report: ErrorReport): ApplicationLoadError {
    return new ApplicationLoadError(this.name, version.options.host.application, report);
  }

  // ---- Supervised

  get minThreads(): number {
    return this.#options.minThreads;
  }

  /** What the application has given its server, as the last thread that has loaded it says; null: nothing. */
  get keepAliveTimeoutMs(): number | null {
    return this.#keepAliveTimeoutMs;
  }

  get maxThreads(): number {
    return this.#options.maxThreads;
  }

  get readyThreads(): number {
    return this.dispatcher.threads.length;
  }

  /** Of the minimum that takes jobs, as far as those leave room for them that are draining for want of work. */
  get missingThreads(): number {
    const { minThreads, maxThreads } = this.#options;
    const count = this.#unretired;
    // One more would only be one more that cannot be ended.
    if (this.#ends.unended > maxThreads) return 0;
    return Math.min(minThreads - (this.#incarnations.size - this.#draining), maxThreads - count);
  }

  get isStarting(): boolean {
    for (const thread of this.#incarnations.keys()) if (thread.state === 'starting') return true;
    return false;
  }

  startThread(): void {
    this.spawn();
  }

  onOutage(untilMs: number): void {
    this.dispatcher.noThreadBeforeMs = untilMs;
  }

  onDegraded(nextStartInMs: number): void {
    this.#observer.onDegraded(this, nextStartInMs);
  }

  onRecovered(): void {
    this.#observer.onRecovered(this);
  }

  // ---- HangObserver

  /** While a debugger may be attached nobody can tell a thread that it has paused from one that hangs. */
  isExcused(thread: Thread): boolean {
    return this.#halted.has(thread) || inspectorUrl() !== undefined;
  }

  onOverdue({ name }: Thread, overdue: Overdue): void {
    this.#observer.onThreadOverdue(this, name, overdue);
  }

  onBack({ name }: Thread, awayMs: number): void {
    this.#observer.onThreadBack(this, name, awayMs);
  }

  onHung(thread: Thread, error: HungThreadError): boolean {
    const incarnation = this.#incarnations.get(thread);
    if (incarnation === undefined || this.#ends.unended >= this.#options.maxThreads) return false;
    this.#ends.end(incarnation, error);
    return true;
  }

  /** Threads, without those in whose place another has come. */
  get #unretired(): number {
    let count = 0;
    for (const { isRetired } of this.#incarnations.values()) if (!isRetired) count++;
    return count;
  }

  get #draining(): number {
    let draining = 0;
    for (const thread of this.#incarnations.keys()) if (thread.state === 'draining') draining++;
    return draining;
  }

  /** Takes a thread that has ended out of everything; its unbegun jobs. */
  #remove({ thread }: Incarnation): ReturnType<Thread['die']> {
    this.#grownAtMs = Number.NEGATIVE_INFINITY;
    this.#removeFromDispatcher(thread);
    this.#turns.removeThread(thread);
    this.#incarnations.delete(thread);
    if (this.#incarnations.size === 0) this.#whenEmpty?.resolve();
    const unbegun = thread.die();
    this.#pastTally.add(thread.tally);
    this.#turns.request();
    return unbegun;
  }

  #removeFromDispatcher(thread: Thread): void {
    const index = this.dispatcher.threads.indexOf(thread);
    if (index !== -1) this.dispatcher.threads.splice(index, 1);
  }

  /** A thread has ended or a job waits: the minimum of threads, and one more when the pool may have one. */
  #grow(): void {
    if (this.#state === 'draining') {
      // No thread takes anything any more.
      this.dispatcher.refuseAll();
      return;
    }
    if (this.#state !== 'running') return;
    // It is asked for each job that waits, and what there is to do follows from time and from threads that come and go.
    const now = this.#turns.nowMs;
    if (now === this.#grownAtMs && this.dispatcher.threads.length > 0) return;
    this.#grownAtMs = now;
    this.#supervision.restore();
    this.#resize();
  }

  /** Called every few milliseconds while there is work, and about once a second otherwise. */
  tick(): void {
    this.#hungThreads.look(this.#incarnations.keys(), this.#turns.nowMs);
    this.dispatcher.rebalance();
    this.#recycle();
    this.#resize();
  }

  #resize(): void {
    if (this.#state !== 'running') return;
    const what = this.#sizer.decide(this);
    if (what === 'grow') this.spawn();
    else if (what === 'shrink' && this.#replacements.overlapping === 0) this.#endIdleThread();
  }

  /** The one that has had nothing to do for longest. While none is without work, none ends. */
  #endIdleThread(): void {
    let longest: Thread | null = null;
    for (const thread of this.dispatcher.threads) {
      if (thread.outstanding > 0) continue;
      if (longest === null || thread.idleSinceMs < longest.idleSinceMs) longest = thread;
    }
    if (longest === null) return;
    this.#sizer.ended(this.nowMs);
    this.#drainThread(this.#incarnations.get(longest) as Incarnation);
  }

  // ---- PoolLoad

  get nowMs(): number {
    return this.#turns.runningMs;
  }

  get mayGrow(): boolean {
    return this.#unretired < this.#options.maxThreads && !this.isStarting && this.#supervision.mayStart;
  }

  get longestWaitMs(): number {
    return this.dispatcher.longestWaitMs;
  }

  /** By the event loops of the threads that take jobs. */
  busyMs(): number {
    let busyMs = 0;
    for (const thread of this.dispatcher.threads) {
      busyMs += this.workerOf(thread)?.performance.eventLoopUtilization().active ?? 0;
    }
    return busyMs;
  }

  /** Not while all threads are replaced anyway, nor while some are missing. */
  #recycle(): void {
    if (this.state !== 'running' || this.#replacements.overlapping > this.#recycling.underWay) return;
    this.#recycling.look(this.dispatcher.threads, this.#turns.nowMs);
  }

  #drainThread(incarnation: Incarnation): void {
    const { thread } = incarnation;
    if (thread.state !== 'ready') return;
    thread.state = 'draining';
    this.#removeFromDispatcher(thread);
    incarnation.drain();
  }

  /** The server begins to stop: threads go on, and tell jobs that have no end of their own. */
  announceDrain(): void {
    this.#drainAnnounced = true;
    for (const incarnation of this.#incarnations.values()) {
      // One that is still loading hears of it when it is ready.
      if (incarnation.thread.state === 'ready') incarnation.announceDrain();
    }
  }

  /** Threads finish what they have, and their applications stop; what waits is refused. Resolves when all have ended. */
  async drain(): Promise<void> {
    this.#state = 'draining';
    this.#supervision.close();
    this.dispatcher.refuseAll();
    if (this.#incarnations.size === 0) return;
    this.#whenEmpty = Promise.withResolvers();
    for (const incarnation of this.#incarnations.values()) {
      // One that is still loading has nothing to stop.
      if (incarnation.thread.state === 'starting') incarnation.abort(new Error('the server stops'));
      else this.#drainThread(incarnation);
    }
    await this.#whenEmpty.promise;
  }

  /** Ends every thread at once, begun jobs and all. Resolves when they have ended. Idempotent. */
  async destroy(): Promise<void> {
    this.#state = 'draining';
    this.#supervision.close();
    await Promise.all([...this.#incarnations.values()].map((incarnation) => incarnation.destroy()));
  }
}

/** -1: it loads yet. */
function workOf({ state, outstanding }: Thread): number {
  return state === 'starting' ? -1 : outstanding;
}

function sizingOptions(options: PoolOptions): SizingOptions {
  return { ...options, shrinkAfterMs: options.idleTimeoutMs };
}
