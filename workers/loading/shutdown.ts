/**
 * Runs in a draining thread what a program does when its process receives SIGTERM: its signal listeners, the close of its servers, and
 * an exit that it calls itself. Node delivers signals to the main thread only, so the thread calls the listeners.
 *
 * When the whole server stops, the listeners are called at once, as Node would call them, so that they can end streams and sockets that
 * would not end by themselves. When only this thread is removed, they are called after its last exchange. In both cases an exit waits for
 * open exchanges, because those belong to other clients.
 */
import { constants } from 'node:os';
import { insteadOfExits } from './exits.ts';
import { nothingLeft } from './idle.ts';

/** The first one with a listener is the one that is delivered. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** NestJS and others end the process with one of these signals after their clean-up. */
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

  /** @param onFailure receives what a listener throws or rejects with */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** A server's `close` waits for this; null while the thread is not draining. */
  get untilServed(): Promise<void> | null {
    return this.#state === 'running' ? null : this.#served.promise;
  }

  /** Calls the listeners once. */
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
        // Handled at once, because an unhandled rejection would end the thread.
        if (result instanceof Promise) result.catch(this.#onFailure);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }

  /**
   * Called after the last exchange. Resolves when a process would have ended: at an exit, when the promises of all listeners are
   * settled, or, if a listener returned none, when nothing is left to do.
   * @param close closes the application's servers
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
    insteadOfExits({
      exit: () => this.#exited.resolve(),
      kill: ([pid, signal]) => {
        if (pid !== process.pid || !ENDING.has(signal ?? 'SIGTERM')) return false;
        this.#exited.resolve();
        return true;
      },
    });
  }
}
