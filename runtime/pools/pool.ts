/**
 * A pool: threads that run one application, each a long-lived Piscina task, and their supervision.
 *
 * Piscina starts a thread for each task, limits it, and ends it with its task. A thread that dies is replaced, its unbegun
 * jobs move on and its begun ones are lost, until more have died than `restart.intensity` within
 * `restart.periodMs`: then the pool stops and says so, since a crash loop helps nobody.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { transfer } from 'comlink';
import { Piscina } from 'piscina';
import type {
  HostOptions,
  PrintStream,
  ThreadBoot,
  ThreadOutcome,
  ThreadReports,
  ThreadStats,
} from '../../wire/control.ts';
import { describeError, type ErrorReport } from '../../wire/error-report.ts';
import { ApplicationLoadError } from './application-load-error.ts';
import { ControlLink } from './control-link.ts';
import { Dispatcher } from './dispatcher.ts';
import { type Prints, takePrints } from './prints.ts';
import { Tally } from './tally.ts';
import { Thread, type ThreadOwner, type Turns } from './thread.ts';

export interface PoolOptions {
  readonly name: string;
  readonly minThreads: number;
  readonly maxThreads: number;
  /** Threads over the minimum end after this long without work. */
  readonly idleTimeoutMs: number;
  /** Jobs given to one thread at a time. */
  readonly slotsPerThread: number;
  readonly ringBytes: number;
  readonly maxQueuedJobs: number;
  readonly maxWaitMs: number;
  readonly recallAfterMs: number;
  readonly restart: { readonly intensity: number; readonly periodMs: number };
  /** From the start of a thread until its application is loaded. */
  readonly startTimeoutMs: number;
  /** Added to the niceness of the threads: the reactor must get its turn while they compute. */
  readonly niceIncrement: number;
  readonly resourceLimits: NonNullable<ConstructorParameters<typeof Piscina>[0]>['resourceLimits'];
  readonly host: HostOptions;
  /** Environment and Node's flags of the threads; default: the process's own. */
  readonly flags?: { readonly env: NodeJS.ProcessEnv; readonly execArgv?: string[] };
  /** Takes what the application prints; default: Node passes it on, to the process's own streams. */
  readonly prints?: Prints;
}

/** What a pool tells about itself; the server logs it. */
export interface PoolObserver {
  onThreadStarted(pool: Pool, thread: string): void;
  onThreadDied(pool: Pool, thread: string, cause: ErrorReport): void;
  onStopped(pool: Pool, cause: ErrorReport): void;
  onApplicationError(pool: Pool, error: ErrorReport, method: string, path: string, suppressed: number): void;
  /** More was printed at once than may wait in a thread. */
  onPrintsDropped(pool: Pool, thread: string, stream: PrintStream, writes: number): void;
  /** The application of a thread that ends did not stop as it should. */
  onStopFailed(pool: Pool, thread: string, error: ErrorReport): void;
}

/** Who wants to know which threads there are, while a profile runs. */
export interface ThreadFollower {
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
}

interface Running {
  readonly thread: Thread;
  readonly link: ControlLink;
  readonly abort: AbortController;
  readonly ready: PromiseWithResolvers<void>;
}

type Balancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>['loadBalancer']>;
type PiscinaWorker = Parameters<Balancer>[1][number];

/** For the news of a thread's end to come behind the end of its port, also on a machine that has little time for it. */
const LAST_NEWS_MS = 5_000;

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const BOOT = new URL(`../../workers/boot${HERE.slice(HERE.lastIndexOf('.'))}`, HERE).href;

export class Pool implements ThreadOwner {
  readonly name: string;
  readonly dispatcher: Dispatcher;
  follower: ThreadFollower | null = null;
  readonly #options: PoolOptions;
  readonly #observer: PoolObserver;
  readonly #turns: ThreadRegistry;
  readonly #piscina: Piscina;
  readonly #running = new Map<Thread, Running>();
  /** `starting`: a thread that does not load is the failure of `start`, not a death to make good. */
  #state: 'starting' | 'running' | 'draining' | 'stopped' = 'starting';
  #drainAnnounced = false;
  #whenEmpty: PromiseWithResolvers<void> | null = null;
  #destroyed: Promise<void> | null = null;
  #spawned = 0;
  /** Of threads that are gone. */
  readonly #pastTally = new Tally();
  #deaths = 0;
  /** Of threads that Piscina still has. */
  #usedThreadIds = new Set<number>();
  /** Threads whose prints are taken. */
  readonly #heard = new WeakSet<Worker>();
  /** Times of recent deaths, for the restart intensity. */
  #deathsMs: number[] = [];

  constructor(options: PoolOptions, turns: ThreadRegistry, observer: PoolObserver) {
    this.name = options.name;
    this.#options = options;
    this.#turns = turns;
    this.#observer = observer;
    this.dispatcher = new Dispatcher(options, turns, () => this.#grow());
    this.#piscina = new Piscina({
      filename: BOOT,
      name: 'default',
      // Every thread is started for its own task: the pool's size is the number of tasks, and those that have ended their
      // task are Piscina's for a moment longer.
      minThreads: 0,
      maxThreads: 2 * options.maxThreads,
      loadBalancer: (_task, workers) => this.#pickFresh(workers),
      idleTimeout: 0,
      concurrentTasksPerWorker: 1,
      // The thread's event loop must stay its own: exchanges come through the ring, not as tasks.
      atomics: 'disabled',
      recordTiming: false,
      niceIncrement: options.niceIncrement,
      ...options.flags,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    });
    // Every end of a thread is seen at its task; this is only the same news again.
    this.#piscina.on('error', () => undefined);
  }

  /** An application begins in a thread of its own: none that has run one before, with its modules and whatever they left. */
  #pickFresh(workers: readonly PiscinaWorker[]): PiscinaWorker | null {
    const fresh = workers.find(({ id }) => !this.#usedThreadIds.has(id)) ?? null;
    if (fresh === null) return null;
    const kept = this.#piscina.threads.map(({ threadId }) => threadId);
    this.#usedThreadIds = new Set(kept.filter((id) => id === fresh.id || this.#usedThreadIds.has(id)));
    return fresh;
  }

  get state(): 'starting' | 'running' | 'draining' | 'stopped' {
    return this.#state;
  }

  get threads(): Iterable<Thread> {
    return this.#running.keys();
  }

  /** What a thread says of itself. Never answered by one that dies first, or computes for ever. */
  async statsOf(thread: Thread): Promise<ThreadStats | null> {
    return (await this.#running.get(thread)?.link.control.stats()) ?? null;
  }

  /** Of the threads that there are and were. */
  get tally(): Tally {
    const all = new Tally();
    all.add(this.#pastTally);
    for (const { tally } of this.#running.keys()) all.add(tally);
    return all;
  }

  /** Threads that have been started, and those of them that have died, ever. */
  get startedThreads(): number {
    return this.#spawned;
  }

  get diedThreads(): number {
    return this.#deaths;
  }

  /** The thread as Node has it; null: it does not run yet, or not any more. */
  workerOf({ vitals }: Thread): Worker | null {
    const { threadId } = vitals;
    return threadId === 0
      ? null
      : (this.#piscina.threads.find((worker) => worker.threadId === threadId) ?? null);
  }

  /** As `ThreadControl.sendHeapSnapshot`. Never answered by one that dies first, or computes for ever. */
  async sendHeapSnapshot(thread: Thread, port: MessagePort): Promise<void> {
    const running = this.#running.get(thread);
    if (running === undefined) throw new Error(`thread ${thread.name} has ended`);
    return await running.link.control.sendHeapSnapshot(
      transfer(port, [port] as unknown as Parameters<typeof transfer>[1]),
    );
  }

  get threadCount(): number {
    return this.#running.size;
  }

  /**
   * Starts the minimum of threads; resolves when the application is loaded in each.
   * @throws ApplicationLoadError
   */
  async start(): Promise<void> {
    const starting: Promise<void>[] = [];
    while (this.#running.size < this.#options.minThreads) starting.push(this.#spawn());
    await Promise.all(starting);
    if (this.#state === 'starting') this.#state = 'running';
  }

  #spawn(): Promise<void> {
    const options = this.#options;
    const name = `${this.name}-${++this.#spawned}`;
    const thread = new Thread(name, this, this.#turns, options.slotsPerThread, options.ringBytes);
    const reports: ThreadReports = {
      began: () => this.follower?.onThreadBegan(this, thread),
      ending: async () => {
        await this.follower?.onThreadEnding(this, thread);
        thread.releaseFromProfile();
      },
      ready: () => this.#threadReady(running),
      applicationError: (error, method, path, suppressed) =>
        this.#observer.onApplicationError(this, error, method, path, suppressed),
      printsDropped: (stream, writes) => this.#observer.onPrintsDropped(this, thread.name, stream, writes),
      stopFailed: (error) => this.#observer.onStopFailed(this, thread.name, error),
    };
    const link = new ControlLink(reports, () => this.#threadGone(running));
    const running: Running = {
      thread,
      link,
      abort: new AbortController(),
      ready: Promise.withResolvers(),
    };
    this.#running.set(thread, running);
    this.#turns.addThread(thread);
    const boot: ThreadBoot = {
      channel: thread.transfer,
      control: link.threadPort,
      profile: thread.profile,
      host: options.host,
    };
    const { signal } = running.abort;
    const task: Promise<unknown> = this.#piscina.run(boot, {
      transferList: [...thread.transferList, link.threadPort],
      signal,
    });
    this.#takePrints();
    const timer = setTimeout(
      () => running.abort.abort(new Error(`it did not load within ${options.startTimeoutMs} ms`)),
      options.startTimeoutMs,
    );
    task.then(
      (outcome) => this.#ended(running, outcome),
      // Piscina tells of an abort with an error of its own.
      (error: unknown) => this.#died(running, this.#describe(signal.aborted ? signal.reason : error)),
    );
    return running.ready.promise.finally(() => clearTimeout(timer));
  }

  /** Of the thread that Piscina has just started for a task. */
  #takePrints(): void {
    const { prints } = this.#options;
    if (prints === undefined) return;
    for (const worker of this.#piscina.threads) {
      if (this.#heard.has(worker)) continue;
      this.#heard.add(worker);
      takePrints(worker, prints);
    }
  }

  #threadReady(running: Running): void {
    const { thread } = running;
    if (thread.state !== 'starting') return;
    thread.state = 'ready';
    thread.idleSinceMs = this.#turns.nowMs;
    this.dispatcher.threads.push(thread);
    running.ready.resolve();
    if (this.#drainAnnounced) this.#tellDrain(running);
    this.#observer.onThreadStarted(this, thread.name);
    this.dispatcher.onRoom(thread);
  }

  /** The task is over: drained, or the application could not be loaded. */
  #ended(running: Running, outcome: unknown): void {
    if (!isOutcome(outcome)) {
      // Piscina takes a thread that dies of `null` for one that has returned.
      this.#died(running, this.#describe(outcome));
      return;
    }
    if (outcome.ended === 'load-failed') {
      this.#died(running, this.#describe(outcome.error));
      return;
    }
    // Nothing that it had not begun is lost with it.
    this.dispatcher.resubmit(this.#remove(running));
    this.follower?.onThreadGone(this, running.thread, undefined);
    this.#grow();
  }

  /**
   * The thread closes down, which its task tells in a moment. It does not while libuv works for the thread, and never when that
   * waits for something that does not come, such as a pipe without a writer.
   */
  #threadGone(running: Running): void {
    if (!this.#running.has(running.thread)) return;
    const timer = setTimeout(() => {
      if (!this.#running.has(running.thread)) return;
      running.abort.abort(
        new Error('it ended (by process.exit, or out of memory) while it waited for files, names or hashes'),
      );
    }, LAST_NEWS_MS);
    timer.unref();
  }

  #describe(error: unknown): ErrorReport {
    return describeError(error, this.#options.host.maxErrorChars);
  }

  #died(running: Running, cause: ErrorReport): void {
    const { thread } = running;
    const wasStarting = thread.state === 'starting';
    const unbegun = this.#remove(running);
    this.follower?.onThreadGone(this, thread, cause);
    if (wasStarting) {
      running.ready.reject(
        new ApplicationLoadError(
          this.name,
          this.#options.host.application,
          `got ${cause.name}: ${cause.message}`,
        ),
      );
      // Only `start` waits for it; a replacement that fails to load counts as one more death.
      running.ready.promise.catch(() => undefined);
      if (this.#state === 'starting') return;
    }
    if (this.#state === 'draining') {
      this.dispatcher.resubmit(unbegun);
      return;
    }
    this.#deaths++;
    this.#observer.onThreadDied(this, thread.name, cause);
    if (this.#state === 'stopped') {
      this.dispatcher.resubmit(unbegun);
      return;
    }
    const now = this.#turns.nowMs;
    const { intensity, periodMs } = this.#options.restart;
    this.#deathsMs = this.#deathsMs.filter((at) => now - at < periodMs);
    this.#deathsMs.push(now);
    if (this.#deathsMs.length > intensity) {
      this.#stop(cause);
      this.dispatcher.resubmit(unbegun);
      this.dispatcher.refuseAll();
      return;
    }
    this.dispatcher.resubmit(unbegun);
    this.#restore();
  }

  /** The minimum of threads that take jobs, as far as those that are draining leave room for them. */
  #restore(): void {
    const { minThreads, maxThreads } = this.#options;
    while (this.#running.size < maxThreads && this.#running.size - this.#draining < minThreads) {
      this.#spawn().catch(() => undefined);
    }
  }

  get #draining(): number {
    let draining = 0;
    for (const thread of this.#running.keys()) if (thread.state === 'draining') draining++;
    return draining;
  }

  /** Takes a thread that has ended out of everything; its unbegun jobs. */
  #remove(running: Running): ReturnType<Thread['die']> {
    const { thread } = running;
    const index = this.dispatcher.threads.indexOf(thread);
    if (index !== -1) this.dispatcher.threads.splice(index, 1);
    this.#turns.removeThread(thread);
    this.#running.delete(thread);
    running.link.close();
    if (this.#running.size === 0) this.#whenEmpty?.resolve();
    const unbegun = thread.die();
    this.#pastTally.add(thread.tally);
    this.#turns.request();
    return unbegun;
  }

  /** The threads that are left finish what they have begun, and end. */
  #stop(cause: ErrorReport): void {
    this.#state = 'stopped';
    for (const running of this.#running.values()) {
      if (running.thread.state === 'starting') running.abort.abort(cause);
      else this.#drainThread(running);
    }
    this.#observer.onStopped(this, cause);
  }

  /** A thread has ended or a job waits: the minimum of threads, and one more when the pool may have one. */
  #grow(): void {
    if (this.#state === 'stopped' || this.#state === 'draining') {
      // No thread takes anything any more.
      this.dispatcher.refuseAll();
      return;
    }
    if (this.#state !== 'running') return;
    this.#restore();
    if (this.#running.size >= this.#options.maxThreads) return;
    if (this.dispatcher.queuedJobs === 0 && !this.#isBehind()) return;
    for (const thread of this.#running.keys()) if (thread.state === 'starting') return;
    this.#spawn().catch(() => undefined);
  }

  #isBehind(): boolean {
    return this.dispatcher.threads.some((thread) => thread.unbegunTail !== null);
  }

  /** Called every few milliseconds while there is work, and about once a second otherwise. */
  tick(): void {
    this.dispatcher.rebalance();
    if (this.#state !== 'running' || this.dispatcher.threads.length <= this.#options.minThreads) return;
    const since = this.#turns.nowMs - this.#options.idleTimeoutMs;
    for (const thread of this.dispatcher.threads) {
      if (thread.outstanding > 0 || thread.idleSinceMs > since) continue;
      this.#drainThread(this.#running.get(thread) as Running);
      return;
    }
  }

  #drainThread(running: Running): void {
    const { thread } = running;
    if (thread.state !== 'ready') return;
    thread.state = 'draining';
    const index = this.dispatcher.threads.indexOf(thread);
    if (index !== -1) this.dispatcher.threads.splice(index, 1);
    // The thread may die before it answers; its task tells.
    Promise.resolve(running.link.control.drain()).catch(() => undefined);
  }

  /** The server begins to stop: threads go on, and tell jobs that have no end of their own. */
  announceDrain(): void {
    this.#drainAnnounced = true;
    for (const running of this.#running.values()) this.#tellDrain(running);
  }

  #tellDrain(running: Running): void {
    // As above; and one that is still loading hears of it when it is ready.
    if (running.thread.state === 'ready')
      Promise.resolve(running.link.control.announceDrain()).catch(() => undefined);
  }

  /** Threads finish what they have, and their applications stop; what waits is refused. Resolves when all have ended. */
  async drain(): Promise<void> {
    this.#state = 'draining';
    this.dispatcher.refuseAll();
    if (this.#running.size === 0) return;
    this.#whenEmpty = Promise.withResolvers();
    for (const running of this.#running.values()) {
      // One that is still loading has nothing to stop.
      if (running.thread.state === 'starting') running.abort.abort(new Error('the server stops'));
      else this.#drainThread(running);
    }
    await this.#whenEmpty.promise;
  }

  /** Ends every thread at once, begun jobs and all. Resolves when they have ended. Idempotent. */
  destroy(): Promise<void> {
    this.#state = 'draining';
    this.#destroyed ??= this.#piscina.destroy();
    return this.#destroyed;
  }

  // ---- ThreadOwner

  onRoom(thread: Thread): void {
    this.dispatcher.onRoom(thread);
  }

  onCorrupt(thread: Thread, error: Error): void {
    this.#running.get(thread)?.abort.abort(error);
  }
}

function isOutcome(value: unknown): value is ThreadOutcome {
  return typeof value === 'object' && value !== null && 'ended' in value;
}
