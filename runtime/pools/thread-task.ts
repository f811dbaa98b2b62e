/**
 * A thread and the one task that it is started for. Piscina starts the thread, limits it, sets its niceness
 * and ends it.
 *
 * Each thread has a Piscina of its own. A Piscina with several threads gives the next task to the thread that
 * is ready first. If a thread hangs or dies in a module that its flags preload, before it reaches its task,
 * it could then not be identified.
 *
 * A thread that must end before its task does is first asked to end, and terminated if it does not.
 * Terminating it in the middle of an import may end the whole process (`Check failed`,
 * `v8::Module::IsGraphAsync`; workers/loading/evaluation.ts), so that is avoided.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ThreadBoot } from '../../wire/control.ts';
import { Vitals } from '../../wire/vitals.ts';
import type { ThreadOptions } from './pool-options.ts';
import { takePrints } from './prints.ts';
import { ThreadEndCode, ThreadEndError } from './thread-end-error.ts';

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript. In the published package they are JavaScript. */
const BOOT = new URL(`../../workers/thread/boot${HERE.slice(HERE.lastIndexOf('.'))}`, HERE).href;

/**
 * Time for a thread that was asked to leave: it loads its modules, and returns to its event loop in between.
 */
const LEAVING_MS = 1_000;

type Options = Pick<ThreadOptions, 'niceIncrement' | 'flags' | 'resourceLimits' | 'prints'>;

export class ThreadTask {
  /**
   * Resolves with the result of the task. Rejects when the thread has died, could not be started, or was
   * aborted.
   */
  readonly result: Promise<unknown>;
  readonly #piscina: Piscina;
  readonly #vitals: Vitals;
  /** Null: the system could not start it, or it has ended. */
  #worker: Worker | null = null;
  readonly #aborted = Promise.withResolvers<never>();

  constructor(options: Options, boot: ThreadBoot, ports: readonly MessagePort[]) {
    this.#vitals = new Vitals(boot.channel.vitals);
    this.#piscina = new Piscina({
      filename: BOOT,
      name: 'default',
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 0,
      // The thread's event loop must stay free: exchanges come through the ring, not as tasks.
      atomics: 'disabled',
      recordTiming: false,
      niceIncrement: options.niceIncrement,
      ...options.flags,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: { ...options.resourceLimits } }),
    });
    const over = this.#run(boot, ports);
    over.then(this.#terminate, this.#terminate);
    this.result = Promise.race([over, this.#aborted.promise]);
    const { prints } = options;
    if (this.#worker !== null && prints !== undefined) takePrints(this.#worker, prints);
  }

  async #run(boot: ThreadBoot, ports: readonly MessagePort[]): Promise<unknown> {
    const died = Promise.withResolvers<never>();
    died.promise.catch(() => undefined);
    // This is for a thread that has not reached its task. Otherwise the task ends with the same error.
    this.#piscina.on('error', died.reject);
    const task: Promise<unknown> = this.#piscina.run(boot, { transferList: [...ports] });
    const worker = this.#piscina.threads[0] ?? null;
    this.#worker = worker;
    worker?.once('exit', (code) => {
      this.#worker = null;
      died.reject(new ThreadEndError(ThreadEndCode.Exited, `worker exited with code: ${code}`));
    });
    return await Promise.race([task, died.promise]);
  }

  /**
   * Rejects `result` with the cause at once, whenever the thread ends.
   * @param ask asks the thread to leave, for which it has some time. Null: it cannot receive the request
   */
  abort(cause: unknown, ask: (() => void) | null): void {
    this.#aborted.reject(cause);
    if (ask === null || this.#worker === null) {
      this.#terminate();
      return;
    }
    ask();
    const timer = setTimeout(() => {
      // The thread has been asked, and leaves when it returns to its event loop.
      if (!this.#vitals.isUnendable) this.#terminate();
    }, LEAVING_MS);
    this.#worker.once('exit', () => clearTimeout(timer));
  }

  readonly #terminate = (): void => {
    // No caller waits for this: a thread in native code ends when that code returns.
    void this.#piscina.destroy();
  };

  /** Null: it could not be started, or has ended. */
  get worker(): Worker | null {
    return this.#worker;
  }
}
