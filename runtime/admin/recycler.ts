/** Replaces threads on request, one after the other, each once its replacement has proved itself. */
import { ControlRefusal } from '../control/errors.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import type { Pool } from '../pools/pool.ts';
import { ReplacementWithdrawnError } from '../pools/replacement-withdrawn-error.ts';
import type { Thread } from '../pools/thread.ts';
import { AdminCode } from './errors.ts';

export class Recycler {
  readonly #busy = new Set<Pool>();
  readonly #isRunning: () => boolean;

  /** @param isRunning threads are replaced as long as the server runs */
  constructor(isRunning: () => boolean) {
    this.#isRunning = isRunning;
  }

  /**
   * Resolves with the names of those that have ended.
   * @throws ControlRefusal
   */
  async recycle(pool: Pool, threads: readonly Thread[]): Promise<string[]> {
    if (this.#busy.has(pool)) throw conflict(`pool ${pool.name} is being recycled: wait until that is over`);
    this.#busy.add(pool);
    const done: string[] = [];
    try {
      for (const thread of threads) {
        if (!this.#isRunning()) break;
        // It may have ended by itself meanwhile.
        if (thread.state !== 'ready') continue;
        await pool.renewal.recycle(thread, 'asked');
        done.push(thread.name);
      }
      return done;
    } catch (error) {
      if (error instanceof ReplacementWithdrawnError)
        throw conflict(`${error.message}: wait until that is over`);
      if (!(error instanceof ApplicationLoadError)) throw error;
      const before = done.length === 0 ? 'no thread was replaced' : `${done.join(', ')} were replaced before`;
      throw new ControlRefusal(422, error.code, `${error.message}; ${before}, the others go on`);
    } finally {
      this.#busy.delete(pool);
    }
  }
}

export function conflict(message: string): ControlRefusal {
  return new ControlRefusal(409, AdminCode.Conflict, message);
}
