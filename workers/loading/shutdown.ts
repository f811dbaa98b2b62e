/**
 * What a program does when its process is told to end, done in its thread when that is drained: listeners of SIGTERM, the close of its
 * servers, and an exit of its own accord. Node gives signals to the main thread alone.
 *
 * When the whole server stops, listeners are called at once, as the process would call them: they say goodbye to what has no end of
 * its own. When one thread is taken away, which is nothing that a process is ever told, they are called behind its last exchange. In
 * both cases an exit waits for the exchanges that are open: they belong to others than the listener.
 */
import { constants } from 'node:os';
import { nothingLeft } from './idle.ts';

/** The first that somebody listens to is the one that has come. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** By these a program ends itself once it has cleaned up, as NestJS does. */
const ENDING: ReadonlySet<string | number> = new Set(
  (['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGKILL'] as const).flatMap((signal) => [
    signal,
    constants.signals[signal],
  ]),
);

export class Shutdown {
  #state: 'running' | 'begun' | 'served' = 'running';
  readonly #served = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #results: unknown[] = [];
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure is told what a listener has thrown */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** What a server's `close` waits for; null: nobody ends it. */
  get untilServed(): Promise<void> | null {
    return this.#state === 'running' ? null : this.#served.promise;
  }

  /** Calls the listeners, once. */
  begin(): void {
    if (this.#state !== 'running') return;
    this.#state = 'begun';
    this.#holdExits();
    const signal = SIGNALS.find((each) => process.listenerCount(each) > 0);
    if (signal === undefined) return;
    for (const listener of process.rawListeners(signal)) {
      try {
        const result: unknown = Reflect.apply(listener, process, [signal, constants.signals[signal]]);
        this.#results.push(result);
        // Heard at once: a rejection that nobody handles would end the thread.
        if (result instanceof Promise) result.catch(this.#onFailure);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }

  /**
   * Behind the last exchange. Resolves when the program has come to its end as a process would: by an exit, when the promises of its
   * listeners are settled, or, where one gave none, when nothing is left to do.
   * @param close closes its servers
   */
  async end(close: () => unknown): Promise<void> {
    this.begin();
    this.#state = 'served';
    this.#served.resolve();
    await Promise.race([this.#exited.promise, this.#settled()]);
    await close();
  }

  async #settled(): Promise<void> {
    const promises = this.#results.filter((result) => result instanceof Promise);
    await Promise.allSettled(promises);
    if (promises.length < this.#results.length) await nothingLeft();
  }

  #holdExits(): void {
    process.exit = (() => this.#exited.resolve()) as never;
    const { kill } = process;
    process.kill = (pid, signal) => {
      if (pid !== process.pid || !ENDING.has(signal ?? 'SIGTERM')) return kill.call(process, pid, signal);
      this.#exited.resolve();
      return true;
    };
  }
}
