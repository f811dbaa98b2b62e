/**
 * The life of one thread, from its start to its end: the task that it runs, its control link, and the news of how it fares.
 *
 *   started ──▶ ready ──▶ ended     it was told to end, and has
 *      │          └─────▶ died
 *      └────────────────▶ died      its application does not load, or not in time
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { transfer } from 'comlink';
import type { PrintStream, ThreadOutcome, ThreadReports, ThreadStats } from '../../wire/control.ts';
import { describeError, type ErrorReport } from '../../wire/error-report.ts';
import type { AttachedCompanion } from './companion.ts';
import { ControlLink } from './control-link.ts';
import type { ThreadVersion } from './pool-options.ts';
import { RunningTimer } from './running-timer.ts';
import { Thread, type ThreadOwner } from './thread.ts';
import { ThreadEndCode, ThreadEndError } from './thread-end-error.ts';
import { ThreadTask } from './thread-task.ts';
import type { Turns } from './turns.ts';

/** For the news of a thread's end to come behind the end of its port, also on a machine that has little time for it. */
const LAST_NEWS_MS = 5_000;

export interface IncarnationOwner extends ThreadOwner {
  /** It runs, and loads its application. */
  onBegan(incarnation: Incarnation): void;
  onReady(incarnation: Incarnation, keepAliveTimeoutMs: number | null): void;
  /** Its application has stopped, and it ends when this resolves. */
  onEnding(incarnation: Incarnation): Promise<void>;
  /** It was told to end, and has. */
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
  /** The thread that goes on until this one is ready; null: this one takes nobody's place. */
  replaces: Incarnation | null = null;
  /** Another has taken its place, and it finishes what it has. */
  isRetired = false;
  /** Resolves when it is ready; rejects when it has died before. */
  readonly ready = Promise.withResolvers<void>();
  /** Resolves when it has lived for a while since; rejects when it has died before. */
  readonly proven = Promise.withResolvers<void>();
  /** Resolves when it has ended or died. */
  readonly gone = Promise.withResolvers<void>();
  readonly #owner: IncarnationOwner;
  readonly #link: ControlLink;
  /** Null: it has not been started. */
  #task: ThreadTask | null = null;
  #provenTimer: RunningTimer | null = null;
  /** Null: there is none, or the thread has not been started. */
  #companion: AttachedCompanion | null = null;
  #state: 'running' | 'gone' = 'running';
  /** Why it was told to end, which it may not have done; null: it was not. */
  #aborted: { readonly cause: unknown; readonly ask: (() => void) | null } | null = null;

  constructor(name: string, version: ThreadVersion, owner: IncarnationOwner, turns: Turns, nowMs: number) {
    this.#owner = owner;
    this.version = version;
    this.startedAtMs = nowMs;
    const { slotsPerThread, ringBytes } = version.options;
    this.thread = new Thread(name, owner, turns, slotsPerThread, ringBytes);
    this.#link = new ControlLink(this.#reports(), () => this.#linkClosed());
    // Most are waited for by nobody.
    this.ready.promise.catch(() => undefined);
    this.proven.promise.catch(() => undefined);
  }

  #reports(): ThreadReports {
    const owner = this.#owner;
    return {
      began: () => owner.onBegan(this),
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

  /** Once, when the owner is ready for its news. */
  start(): void {
    const { thread, version } = this;
    const { host, startTimeoutMs } = version.options;
    const timer = new RunningTimer(startTimeoutMs, () =>
      this.abort(new Error(`it did not load within ${startTimeoutMs} ms`)),
    );
    thread.isTraced = host.tracing !== undefined;
    this.#companion = version.options.companion?.attach(thread.name, (cause) => this.abort(cause)) ?? null;
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
    // By its companion.
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

  /** The task is over: drained, or the application could not be loaded. */
  #finished(outcome: unknown): void {
    // Piscina takes a thread that dies of `null` for one that has returned.
    if (!isOutcome(outcome)) this.#died(outcome);
    else if (outcome.ended === 'load-failed') this.#died(outcome.error);
    else {
      this.#close();
      this.proven.resolve();
      this.#owner.onEnded(this);
    }
  }

  /** Its application is loaded. */
  loaded(): void {
    this.ready.resolve();
    this.#provenTimer = new RunningTimer(this.version.options.minUptimeMs, this.proven.resolve);
  }

  /** It has died. */
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
   * The thread closes down, which its task tells in a moment. It does not while libuv works for the thread, and never when that
   * waits for something that does not come, such as a pipe without a writer.
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
   * The thread ends, whatever it does; its death is told with this cause, at once.
   * @param isHung it does not come back to its loop
   */
  abort(cause: unknown, isHung = false): void {
    if (this.#aborted !== null || this.#state === 'gone') return;
    this.#aborted = { cause, ask: isHung ? null : () => this.#link.leave() };
    // It would wait for that when it ends by itself.
    this.thread.profile.release();
    this.#task?.abort(cause, this.#aborted.ask);
  }

  /** It was told to end, whatever it does. */
  get isAborted(): boolean {
    return this.#aborted !== null;
  }

  /** Ends the thread at once, and all it has begun. Resolves when it has ended. */
  async destroy(): Promise<void> {
    const { worker } = this;
    this.abort(new Error('its pool ends'));
    if (worker === null) return;
    // Not `once` of node:events: it rejects when an error comes first.
    await new Promise((resolve) => worker.once('exit', resolve));
  }

  /** It finishes what it has, its application stops, and it ends. */
  drain(): void {
    // The thread may die before it answers; its task tells.
    Promise.resolve(this.#link.control.drain()).catch(() => undefined);
  }

  /** It goes on, and tells jobs that have no end of their own. */
  announceDrain(): void {
    // As above.
    Promise.resolve(this.#link.control.announceDrain()).catch(() => undefined);
  }

  /** What the thread says of itself. Never answered by one that dies first, or computes for ever. */
  async stats(): Promise<ThreadStats> {
    return await this.#link.control.stats();
  }

  /** As `ThreadControl.sendHeapSnapshot`. Never answered by one that dies first, or computes for ever. */
  async sendHeapSnapshot(port: MessagePort): Promise<void> {
    return await this.#link.control.sendHeapSnapshot(
      transfer(port, [port] as unknown as Parameters<typeof transfer>[1]),
    );
  }
}

function isOutcome(value: unknown): value is ThreadOutcome {
  return typeof value === 'object' && value !== null && 'ended' in value;
}
