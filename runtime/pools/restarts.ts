/** When a dead thread is replaced: as long as no more have died than `intensity` within `periodMs`. */
import type { RestartOptions } from './pool-options.ts';

export class Restarts {
  readonly #options: RestartOptions;
  #deathsMs: number[] = [];

  constructor(options: RestartOptions) {
    this.#options = options;
  }

  /** A thread has died. False: one too many. */
  died(nowMs: number): boolean {
    const { intensity, periodMs } = this.#options;
    this.#deathsMs = this.#deathsMs.filter((at) => nowMs - at < periodMs);
    this.#deathsMs.push(nowMs);
    return this.#deathsMs.length <= intensity;
  }
}
