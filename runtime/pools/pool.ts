/**
 * A pool: threads that run one application, and their supervision.
 *
 * A thread that dies is replaced. Its unbegun jobs move to other threads, its begun jobs are lost. When many
 * threads die, the pool waits before it starts more (restarts.ts). Until then it has fewer threads than its
 * minimum: it is degraded. While it has no thread, its jobs wait in the queue, unless they would have to wait
 * for too long.
 *
 * The pool decides what follows from the start, the end and the death of a thread. Its parts know the rest:
 *
 *   members.ts       the threads of the pool
 *   dispatcher.ts    which thread gets which job
 *   supervision.ts   when missing threads are started
 *   resizing.ts      when the pool gets one more thread, or one less
 *   renewal.ts       when a healthy thread is replaced
 *   hung-threads.ts, forced-ends.ts   threads that do not return to their loop, or do not end
 *   pool-figures.ts  what it has done, for status and metrics
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import type { PrintStream, ThreadStats } from '../../wire/control.ts';
import type { ErrorReport } from '../../wire/error-report.ts';
import { ApplicationLoadError } from './application-load-error.ts';
import { Dispatcher } from './dispatcher.ts';
import { ExcusedThreads } from './excused-threads.ts';
import { FirstThreads } from './first-threads.ts';
import { ForcedEnds } from './forced-ends.ts';
import { type HangObserver, type HungThreadError, HungThreads, type Overdue } from './hung-threads.ts';
import { Incarnation, type IncarnationOwner } from './incarnation.ts';
import type { Job } from './job.ts';
import { Members } from './members.ts';
import type * as contracts from './pool-contracts.ts';
import { PoolFigures } from './pool-figures.ts';
import type { PoolOptions } from './pool-options.ts';
import type { RecyclingCause } from './recycling.ts';
import { Renewal, type RenewalOwner } from './renewal.ts';
import { Resizing, type ResizingOwner } from './resizing.ts';
import { type Supervised, Supervision } from './supervision.ts';
import type { Thread } from './thread.ts';

export type PoolObserver = contracts.PoolObserver<Pool>;
export type ThreadFollower = contracts.ThreadFollower<Pool>;

export type PoolState = 'starting' | 'running' | 'degraded' | 'draining';

export class Pool implements IncarnationOwner, Supervised, HangObserver, ResizingOwner, RenewalOwner {
  readonly name: string;
  readonly dispatcher: Dispatcher;
  readonly renewal: Renewal;
  readonly figures: PoolFigures;
  follower: ThreadFollower | null = null;
  #options: PoolOptions;
  readonly #observer: PoolObserver;
  readonly #turns: contracts.ThreadRegistry;
  /** `starting`: a thread that does not load fails `start`, and is not replaced. */
  #state: 'starting' | 'running' | 'draining' = 'starting';
  /** When the pool last checked whether it has enough threads. */
  #grownAtMs = Number.NEGATIVE_INFINITY;
  /** False while a thread that has ended is removed. */
  #mayGrow = true;
  #drainAnnounced = false;
  #keepAliveTimeoutMs: number | null = null;
  readonly #members = new Members();
  readonly #firstThreads = new FirstThreads();
  readonly #supervision: Supervision;
  readonly #hungThreads: HungThreads;
  readonly #resizing: Resizing;
  readonly #ends = new ForcedEnds({
    onChildrenEnded: (thread, processIds) => this.#observer.onChildrenEnded(this, thread, processIds),
    onEnd: () => {
      if (this.#state === 'running') this.#supervision.restore();
    },
  });
  readonly #excused = new ExcusedThreads();

  constructor(options: PoolOptions, turns: contracts.ThreadRegistry, observer: PoolObserver) {
    this.name = options.name;
    this.#options = options;
    this.#turns = turns;
    this.#observer = observer;
    this.dispatcher = new Dispatcher(options, turns, () => this.#grow());
    this.#supervision = new Supervision(options.restart, this, turns);
    this.#hungThreads = new HungThreads(options, this);
    const members = this.#members;
    this.#resizing = new Resizing(options, turns, this.dispatcher, members, this.#supervision, this);
    this.renewal = new Renewal(options, members, this.dispatcher, this.#ends, this);
    this.figures = new PoolFigures(members, this.#supervision, this.#hungThreads, this.#ends);
  }

  // ---- its properties

  get state(): PoolState {
    const isShort = this.readyThreads < this.minThreads;
    return this.#state === 'running' && isShort ? 'degraded' : this.#state;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get threads(): Iterable<Thread> {
    return this.#members.threads;
  }

  get threadCount(): number {
    return this.#members.size;
  }

  /**
   * The keep-alive timeout that the application has given its server, as reported by the last thread that has
   * loaded it; null: none.
   */
  get keepAliveTimeoutMs(): number | null {
    return this.#keepAliveTimeoutMs;
  }

  /** See `FirstThreads.failed`. */
  get startFailed(): Promise<never> {
    return this.#firstThreads.failed;
  }

  /** True if a thread takes jobs and has been away from its event loop for less than this time. */
  isResponsive(unresponsiveMs: number): boolean {
    const { nowMs } = this.#turns;
    const { threads } = this.dispatcher;
    return threads.some((thread) => this.#hungThreads.silentMs(thread, nowMs) < unresponsiveMs);
  }

  /** See `Incarnation.stats`; null: the thread has ended. */
  async statsOf(thread: Thread): Promise<ThreadStats | null> {
    return (await this.#members.of(thread)?.stats()) ?? null;
  }

  /** The thread as Node has it; null: it has ended. */
  workerOf(thread: Thread): Worker | null {
    return this.#members.of(thread)?.worker ?? null;
  }

  /** See `ThreadControl.sendHeapSnapshot`. Never settles if the thread dies first, or computes for ever. */
  async sendHeapSnapshot(thread: Thread, port: MessagePort): Promise<void> {
    const incarnation = this.#members.of(thread);
    if (incarnation === undefined) throw new Error(`thread ${thread.name} has ended`);
    return await this.#excused.during(thread, () => incarnation.sendHeapSnapshot(port));
  }

  // ---- its start and its changes

  /**
   * Starts the minimum of threads. Resolves when each has loaded the application.
   * @throws ApplicationLoadError
   */
  async start(): Promise<void> {
    const starting: Promise<void>[] = [];
    while (this.#members.size < this.#options.minThreads) {
      const incarnation = this.spawn();
      this.#firstThreads.add(incarnation);
      starting.push(incarnation.ready.promise);
    }
    await Promise.all(starting);
    if (this.#state === 'starting') this.#state = 'running';
  }

  spawn(version = this.renewal.version): Incarnation {
    const name = `${this.name}-${this.#members.started + 1}`;
    this.#turns.tick();
    const incarnation = new Incarnation(name, version, this, this.#turns, this.#turns.runningMs);
    this.#members.add(incarnation);
    this.#turns.addThread(incarnation.thread);
    this.#supervision.onStarted();
    incarnation.start();
    return incarnation;
  }

  /** Applies options of the pool itself, as opposed to its threads. Waiting jobs stay. */
  reconfigure(options: PoolOptions): void {
    this.#options = options;
    this.dispatcher.options = options;
    this.#hungThreads.options = options;
    this.#resizing.options = options;
    this.renewal.options = options;
    this.#supervision.options = options.restart;
    if (this.#state === 'running') this.#supervision.restore();
  }

  /** Resolves when each present thread has lived for `minUptimeMs`. Rejects if one dies before. */
  async proven(): Promise<void> {
    await Promise.all([...this.#members.incarnations].map((incarnation) => incarnation.proven.promise));
  }

  // ---- IncarnationOwner: what happens to a thread

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
    // Other threads run the jobs that it had not begun.
    this.dispatcher.resubmit(this.#remove(incarnation.thread));
    this.follower?.onThreadGone(this, incarnation.thread, undefined);
    this.#grow();
  }

  onDied(incarnation: Incarnation, cause: ErrorReport): void {
    const { thread, replaces, version } = incarnation;
    const wasStarting = thread.state === 'starting';
    const unbegun = this.#remove(thread);
    this.follower?.onThreadGone(this, thread, cause);
    const error = new ApplicationLoadError(this.name, version.options.host.application, cause);
    incarnation.failed(error);
    if (incarnation.isAborted) this.#ends.watch(incarnation.worker);
    this.#firstThreads.onDied(incarnation, error);
    if (wasStarting && this.#state === 'starting') return;
    // The old thread continues. The caller that is replacing it gets the error.
    const isMissed =
      !incarnation.isRetired && (replaces === null || this.#members.of(replaces.thread) === undefined);
    if (this.#state !== 'draining' && (isMissed || !wasStarting))
      this.#tellDeath(incarnation, cause, wasStarting, isMissed);
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

  /** Removes a thread that has ended from the pool. @returns the jobs that it had not begun */
  #remove(thread: Thread): Job[] {
    this.#removeFromDispatcher(thread);
    this.#turns.removeThread(thread);
    // Removing the thread lets held jobs take the places of lost ones, which calls `#grow`. The pool must not
    // grow yet: whether it may start a thread depends on the cause of this death, which is recorded later.
    this.#mayGrow = false;
    const unbegun = this.#members.remove(thread);
    this.#mayGrow = true;
    this.#grownAtMs = Number.NEGATIVE_INFINITY;
    this.#turns.request();
    return unbegun;
  }

  #removeFromDispatcher(thread: Thread): void {
    const index = this.dispatcher.threads.indexOf(thread);
    if (index !== -1) this.dispatcher.threads.splice(index, 1);
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
    this.#members.of(thread)?.abort(error);
  }

  // ---- RenewalOwner

  restore(): void {
    this.#supervision.restore();
  }

  release(incarnation: Incarnation): void {
    this.#drain(incarnation);
    // Other threads may begin the unbegun jobs sooner.
    this.dispatcher.resubmit(incarnation.thread.takeUnbegun());
    this.#supervision.restore();
  }

  onRecycled({ name }: Thread, cause: RecyclingCause): void {
    this.#observer.onThreadRecycled(this, name, cause);
  }

  onNotRecycled({ name }: Thread, error: unknown): void {
    this.#observer.onThreadNotRecycled(this, name, error);
  }

  // ---- Supervised and ResizingOwner

  get minThreads(): number {
    return this.#options.minThreads;
  }

  get maxThreads(): number {
    return this.#options.maxThreads;
  }

  get readyThreads(): number {
    return this.dispatcher.threads.length;
  }

  /**
   * How many threads are missing to the minimum. Threads that drain because they were idle take no more jobs,
   * but still count towards the maximum.
   */
  get missingThreads(): number {
    const { minThreads, maxThreads } = this.#options;
    // Another thread might only become one more that cannot be ended.
    if (this.#ends.unended > maxThreads) return 0;
    const { size, draining, unretired, additional } = this.#members;
    return Math.min(minThreads - (size - draining - additional), maxThreads - (unretired - additional));
  }

  get isStarting(): boolean {
    return this.#members.isStarting;
  }

  get overlappingThreads(): number {
    return this.renewal.overlappingThreads;
  }

  startThread(): void {
    this.spawn();
  }

  drainThread(thread: Thread): void {
    this.#drain(this.#members.of(thread) as Incarnation);
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

  isExcused(thread: Thread): boolean {
    return this.#excused.has(thread);
  }

  onOverdue({ name }: Thread, overdue: Overdue): void {
    this.#observer.onThreadOverdue(this, name, overdue);
  }

  onBack({ name }: Thread, awayMs: number): void {
    this.#observer.onThreadBack(this, name, awayMs);
  }

  onHung(thread: Thread, error: HungThreadError): boolean {
    const incarnation = this.#members.of(thread);
    if (incarnation === undefined || this.#ends.unended >= this.#options.maxThreads) return false;
    this.#ends.end(incarnation, error);
    return true;
  }

  // ---- time

  /** Called every few milliseconds while there is work, and about once a second otherwise. */
  tick(): void {
    this.#hungThreads.look(this.#members.threads, this.#turns.nowMs);
    this.dispatcher.rebalance();
    // No thread is recycled while threads are missing.
    if (this.state === 'running') this.renewal.recycleDue(this.#turns.nowMs);
    if (this.#state === 'running') this.#resizing.look();
  }

  /**
   * Called when a thread has ended or a job waits. Starts the threads that are missing to the minimum, and
   * one more if the pool may have one.
   */
  #grow(): void {
    if (this.#state === 'draining') {
      // No thread takes jobs any more.
      this.dispatcher.refuseAll();
      return;
    }
    if (this.#state !== 'running' || !this.#mayGrow) return;
    // This is called for every waiting job, but its result changes only with time and with the threads.
    const now = this.#turns.nowMs;
    if (now === this.#grownAtMs && this.dispatcher.threads.length > 0) return;
    this.#grownAtMs = now;
    this.#supervision.restore();
    // The observer of a death may have ended the pool.
    if (this.#state === 'running') this.#resizing.look();
  }

  // ---- its end

  #drain(incarnation: Incarnation): void {
    const { thread } = incarnation;
    if (thread.state !== 'ready') return;
    thread.state = 'draining';
    this.#removeFromDispatcher(thread);
    incarnation.drain();
  }

  /**
   * Called when the server begins to stop. Threads continue, and notify their jobs, so that those without a
   * natural end can end.
   */
  announceDrain(): void {
    this.#drainAnnounced = true;
    for (const incarnation of this.#members.incarnations) {
      // A thread that is still loading is told when it is ready.
      if (incarnation.thread.state === 'ready') incarnation.announceDrain();
    }
  }

  /**
   * Threads finish what they have, and their applications stop. Waiting jobs are refused. Resolves when all
   * threads have ended.
   */
  async drain(): Promise<void> {
    this.#state = 'draining';
    this.#supervision.close();
    this.dispatcher.refuseAll();
    for (const incarnation of this.#members.incarnations) {
      // A thread that is still loading has nothing to stop.
      if (incarnation.thread.state === 'starting') incarnation.abort(new Error('the server stops'));
      else this.#drain(incarnation);
    }
    await this.#members.empty();
  }

  /** Ends every thread at once, with the jobs that it has begun. Resolves when all have ended. Idempotent. */
  async destroy(): Promise<void> {
    this.#state = 'draining';
    this.#supervision.close();
    await Promise.all([...this.#members.incarnations].map((incarnation) => incarnation.destroy()));
  }
}
