/**
 * A thread and the one task that it is started for. Piscina starts it, limits it, sets its niceness and ends it.
 *
 * Each thread has a Piscina of its own. One for several gives the next task to whichever of its threads is ready first, so nobody could say
 * whose a thread is that has not come to its task: one that hangs, or dies, in a module that its flags preload.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ThreadBoot } from '../../wire/control.ts';
import type { ThreadOptions } from './pool-options.ts';
import { takePrints } from './prints.ts';

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const BOOT = new URL(`../../workers/boot${HERE.slice(HERE.lastIndexOf('.'))}`, HERE).href;

type Options = Pick<ThreadOptions, 'niceIncrement' | 'flags' | 'resourceLimits' | 'prints'>;

export class ThreadTask {
  /** Resolves with what the task returns when it is over; rejects when its thread has died, could not be started, or was aborted. */
  readonly result: Promise<unknown>;
  readonly #piscina: Piscina;
  /** Null: the system has not let it start, or it has ended. */
  #worker: Worker | null = null;

  constructor(options: Options, boot: ThreadBoot, ports: readonly MessagePort[], signal: AbortSignal) {
    this.#piscina = new Piscina({
      filename: BOOT,
      name: 'default',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 0,
      // The thread's event loop must stay its own: exchanges come through the ring, not as tasks.
      atomics: 'disabled',
      recordTiming: false,
      niceIncrement: options.niceIncrement,
      ...options.flags,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: { ...options.resourceLimits } }),
    });
    this.result = this.#run(boot, ports, signal).finally(() => {
      // Not waited for: a thread that is in native code ends when that returns.
      void this.#piscina.destroy();
    });
    const { prints } = options;
    if (this.#worker !== null && prints !== undefined) takePrints(this.#worker, prints);
  }

  async #run(boot: ThreadBoot, ports: readonly MessagePort[], signal: AbortSignal): Promise<unknown> {
    const died = Promise.withResolvers<never>();
    died.promise.catch(() => undefined);
    // Of a thread that has not come to its task; otherwise the task ends with the same news.
    this.#piscina.on('error', died.reject);
    const task: Promise<unknown> = this.#piscina.run(boot, { transferList: [...ports], signal });
    const worker = this.#piscina.threads[0] ?? null;
    this.#worker = worker;
    worker?.once('exit', (code) => {
      this.#worker = null;
      died.reject(new Error(`worker exited with code: ${code}`));
    });
    return await Promise.race([task, died.promise]);
  }

  /** Null: it could not be started, or has ended. */
  get worker(): Worker | null {
    return this.#worker;
  }
}
