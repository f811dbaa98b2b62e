/**
 * The life of one thread, from its start to its end: its task, its control link, and the reports of how it
 * fares.
 *
 *   started ──▶ ready ──▶ ended     it was told to end, and has
 *      │          └─────▶ died
 *      └────────────────▶ died      its application does not load, or not in time
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { transfer } from 'comlink';
import type { PrintStream, ThreadOutcome, ThreadReports, ThreadStats } from '../../wire/control.ts';
import { describeError, type ErrorReport } from '../../wire/error-report.ts';
import { RunningTimer } from '../../wire/running-timer.ts';
import type { AttachedCompanion } from './companion.ts';
import { ControlLink } from './control-link.ts';
import type { ThreadVersion } from './pool-options.ts';
import { Thread, type ThreadOwner } from './thread.ts';
import { ThreadEndCode, ThreadEndError } from './thread-end-error.ts';
import { ThreadTask } from './thread-task.ts';
import type { Turns } from './turns.ts';

/** How much later than the end of the port the end of the task may be reported, even on a busy machine. */
const LAST_NEWS_MS = 5_000;

export interface IncarnationOwner extends ThreadOwner {
  /** The thread runs, and loads its application. */
  onBegan(incarnation: Incarnation): void;
  onReady(incarnation: Incarnation, keepAliveTimeoutMs: number | null): void;
  /** The application has stopped, and the thread ends when this resolves. */
  onEnding(incarnation: Incarnation): Promise<void>;
  /** The thread was told to end, and has. */
  onEnded(incarnation: Incarnation): void;
  onDied(incarnation: Incarnation, cause: ErrorReport): void;
  onApplicationError(
    incarnation: Incarnation,
    error: ErrorReport,
    method: string,
    path: string,
    suppressed: number,
    requestId: string,
  ): void;
  onPrintsDropped(incarnation: Incarnation, stream: PrintStream, writes: number): void;
  onStopFailed(incarnation: Incarnation, error: ErrorReport): void;
}

export class Incarnation {
  readonly thread: Thread;
  readonly version: ThreadVersion;
  /** By `Turns.runningMs`. */
  readonly startedAtMs: number;
  /**
   * The old thread that this one replaces, and that continues until this one is ready; null: it replaces
   * none.
   */
  replaces: Incarnation | null = null;
  /** It has been neither accepted nor refused, so it does not count as one of the pool's threads yet. */
  isOnTrial = false;
  /** Another thread has taken its place, and this one finishes its jobs. */
  isRetired = false;
  /** Resolves when the thread is ready. Rejects if it dies before. */
  readonly ready = Promise.withResolvers<void>();
  /** Resolves when the thread has lived for `minUptimeMs` since then. Rejects if it dies before. */
  readonly proven = Promise.withResolvers<void>();
  /** Resolves when the thread has ended or died. */
  readonly gone = Promise.withResolvers<void>();
  readonly #owner: IncarnationOwner;
  readonly #link: ControlLink;
  /** What the thread does before it is ready, once its module is loaded. */
  #step = '';
  /** Null: the thread has not been started. */
  #task: ThreadTask | null = null;
  #provenTimer: RunningTimer | null = null;
  /** Null: there is none, or the thread has not been started. */
  #companion: AttachedCompanion | null = null;
  #state: 'running' | 'gone' = 'running';
  /** Why the thread was told to end, even if it still runs; null: it was not. */
  #aborted: { readonly cause: unknown; readonly ask: (() => void) | null } | null = null;

  constructor(name: string, version: ThreadVersion, owner: IncarnationOwner, turns: Turns, nowMs: number) {
    this.#owner = owner;
    this.version = version;
    this.startedAtMs = nowMs;
    const { slotsPerThread, ringBytes } = version.options;
    this.thread = new Thread(name, owner, turns, slotsPerThread, ringBytes);
    this.#link = new ControlLink(this.#reports(), () => this.#linkClosed());
    // A caller need not wait for these promises.
    this.ready.promise.catch(() => undefined);
    this.proven.promise.catch(() => undefined);
  }

  #reports(): ThreadReports {
    const owner = this.#owner;
    return {
      began: () => owner.onBegan(this),
      reached: (step) => {
        this.#step = step;
      },
      ending: async () => {
        await owner.onEnding(this);
        this.thread.profile.release();
      },
      loaded: (files) => this.version.options.onLoaded?.(files),
      ready: (keepAliveTimeoutMs) => owner.onReady(this, keepAliveTimeoutMs),
      applicationError: (error, method, path, suppressed, requestId) =>
        owner.onApplicationError(this, error, method, path, suppressed, requestId),
      printsDropped: (stream, writes) => owner.onPrintsDropped(this, stream, writes),
      stopFailed: (error) => owner.onStopFailed(this, error),
    };
  }

  /** To be called once, when the owner is ready for its reports. */
  start(): void {
    const { thread, version } = this;
    const { host, startTimeoutMs } = version.options;
    const timer = new RunningTimer(startTimeoutMs, () => {
      const what =
        this.#step === ''
          ? 'its module, its factory or a promise that it exports has not ended, or its server does not listen'
          : `${this.#step} has not ended`;
      this.abort(
        new Error(
          `it did not load within ${startTimeoutMs} ms, because ${what}; if it needs longer, raise startTimeoutMs of its pool`,
        ),
      );
    });
    thread.isTraced = host.tracing !== undefined;
    this.#companion = version.options.companion?.attach(thread.name, (cause) => this.abort(cause)) ?? null;
    thread.companion = this.#companion;
    const boot = {
      channel: thread.transfer,
      control: this.#link.threadPort,
      profile: thread.profile.memory,
      host,
      thread: thread.name,
      ...(this.#companion && { actors: this.#companion.boot }),
    };
    const ports = [...thread.transferList, this.#link.threadPort];
    if (this.#companion !== null) ports.push(...this.#companion.ports);
    this.#task = new ThreadTask(version.options, boot, ports);
    // The companion may have aborted the thread in `attach`.
    if (this.#aborted !== null) this.#task.abort(this.#aborted.cause, this.#aborted.ask);
    this.#task.result
      .then(
        (outcome) => this.#finished(outcome),
        (error: unknown) => this.#died(error),
      )
      .finally(this.gone.resolve);
    this.ready.promise.finally(() => timer.cancel()).catch(() => undefined);
  }

  /** The thread as Node has it; null: it could not be started, or has ended. */
  get worker(): Worker | null {
    return this.#task?.worker ?? null;
  }

  /** The task is over: the thread has drained, or the application could not be loaded. */
  #finished(outcome: unknown): void {
    // Piscina takes a thread that died of `null` for one that has returned.
    if (!isOutcome(outcome)) this.#died(outcome);
    else if (outcome.ended === 'load-failed') this.#died(outcome.error);
    else {
      this.#close();
      this.proven.resolve();
      this.#owner.onEnded(this);
    }
  }

  /** The application is loaded. */
  loaded(): void {
    this.ready.resolve();
    this.#provenTimer = new RunningTimer(this.version.options.minUptimeMs, this.proven.resolve);
  }

  /** The thread has died. */
  failed(error: Error): void {
    this.#provenTimer?.cancel();
    this.ready.reject(error);
    this.proven.reject(error);
  }

  #died(cause: unknown): void {
    this.#close();
    this.#owner.onDied(this, describeError(cause, this.version.options.host.maxErrorChars));
  }

  #close(): void {
    this.#state = 'gone';
    this.#provenTimer?.cancel();
    this.#link.close();
    this.#companion?.gone();
  }

  /**
   * The thread is closing down, which its task normally reports within a moment. The report is late while
   * libuv works for the thread, and never arrives if libuv waits for ever, for example for a pipe without a
   * writer.
   */
  #linkClosed(): void {
    if (this.#state === 'gone') return;
    const timer = setTimeout(() => {
      if (this.#state === 'gone') return;
      this.abort(
        new ThreadEndError(
          ThreadEndCode.Exited,
          'it ended (by process.exit, or out of memory) while it waited for files, names or hashes',
        ),
      );
    }, LAST_NEWS_MS);
    timer.unref();
  }

  /**
   * Ends the thread, whatever it does. Its death is reported with this cause at once.
   * @param isHung the thread does not return to its event loop
   */
  abort(cause: unknown, isHung = false): void {
    if (this.#aborted !== null || this.#state === 'gone') return;
    this.#aborted = { cause, ask: isHung ? null : () => this.#link.leave() };
    // A thread that ends by itself would wait for its profile to be taken.
    this.thread.profile.release();
    this.#task?.abort(cause, this.#aborted.ask);
  }

  /** The thread was told to end, whatever it does. */
  get isAborted(): boolean {
    return this.#aborted !== null;
  }

  /** Ends the thread at once, with all that it has begun. Resolves when it has ended. */
  async destroy(): Promise<void> {
    const { worker } = this;
    this.abort(new Error('its pool ends'));
    if (worker === null) return;
    // `once` of node:events would reject if an error came first.
    await new Promise((resolve) => worker.once('exit', resolve));
  }

  /** The thread finishes its jobs, its application stops, and the thread ends. */
  drain(): void {
    // The thread may die before it replies. Its task reports that.
    Promise.resolve(this.#link.control.drain()).catch(() => undefined);
  }

  /** The thread continues, and notifies its jobs, so that those without a natural end can end. */
  announceDrain(): void {
    // The thread may die before it replies. Its task reports that.
    Promise.resolve(this.#link.control.announceDrain()).catch(() => undefined);
  }

  /** What the thread reports about itself. Never settles if the thread dies first, or computes for ever. */
  async stats(): Promise<ThreadStats> {
    return await this.#link.control.stats();
  }

  /** See `ThreadControl.sendHeapSnapshot`. Never settles if the thread dies first, or computes for ever. */
  async sendHeapSnapshot(port: MessagePort): Promise<void> {
    return await this.#link.control.sendHeapSnapshot(
      transfer(port, [port] as unknown as Parameters<typeof transfer>[1]),
    );
  }
}

function isOutcome(value: unknown): value is ThreadOutcome {
  return typeof value === 'object' && value !== null && 'ended' in value;
}
