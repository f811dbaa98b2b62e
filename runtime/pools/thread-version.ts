/**
 * What threads are started with: the same module, environment, flags and limits for each. A pool starts its threads of one version, and
 * may have some of an older one while it changes.
 *
 * Piscina starts a thread for each task, limits it, and ends it with its task. It takes what threads are started with once, when it is
 * made, so another version is another Piscina.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ThreadBoot } from '../../wire/control.ts';
import type { ThreadOptions } from './pool-options.ts';
import { takePrints } from './prints.ts';

type Balancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>['loadBalancer']>;
type PiscinaWorker = Parameters<Balancer>[1][number];

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const BOOT = new URL(`../../workers/boot${HERE.slice(HERE.lastIndexOf('.'))}`, HERE).href;

/** More than any pool has, with those that are being replaced and those whose end Piscina has yet to hear of. */
const MOST_THREADS = 4_096;

export class ThreadVersion {
  /** Counted from 1 by their pool. */
  readonly number: number;
  readonly options: ThreadOptions;
  readonly #piscina: Piscina;
  #destroyed: Promise<void> | null = null;
  /** Of threads that Piscina still has. */
  #usedThreadIds = new Set<number>();
  /** Threads whose prints are taken. */
  readonly #heard = new WeakSet<Worker>();

  constructor(number: number, options: ThreadOptions) {
    this.number = number;
    this.options = options;
    this.#piscina = new Piscina({
      filename: BOOT,
      name: 'default',
      // Every thread is started for its own task: the number of tasks is the pool's to decide.
      minThreads: 0,
      maxThreads: MOST_THREADS,
      loadBalancer: (_task, workers) => this.#pickFresh(workers),
      idleTimeout: 0,
      concurrentTasksPerWorker: 1,
      // The thread's event loop must stay its own: exchanges come through the ring, not as tasks.
      atomics: 'disabled',
      recordTiming: false,
      niceIncrement: options.niceIncrement,
      ...options.flags,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: { ...options.resourceLimits } }),
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

  /** Starts a thread; resolves with what it returns when it has ended, and rejects when it has died or was aborted. */
  run(boot: ThreadBoot, transferList: readonly MessagePort[], signal: AbortSignal): Promise<unknown> {
    const task: Promise<unknown> = this.#piscina.run(boot, { transferList: [...transferList], signal });
    this.#takePrints();
    return task;
  }

  /** Of the thread that Piscina has just started for a task. */
  #takePrints(): void {
    const { prints } = this.options;
    if (prints === undefined) return;
    for (const worker of this.#piscina.threads) {
      if (this.#heard.has(worker)) continue;
      this.#heard.add(worker);
      takePrints(worker, prints);
    }
  }

  /** Null: it does not run yet, or not any more. */
  workerOf(threadId: number): Worker | null {
    return this.#piscina.threads.find((worker) => worker.threadId === threadId) ?? null;
  }

  /** Ends all its threads at once. Resolves when they have ended. Idempotent. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#piscina.destroy();
    return this.#destroyed;
  }
}
