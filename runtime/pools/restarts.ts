/**
 * When dead threads are replaced.
 *
 * While at most `intensity` threads die within `periodMs`, each is replaced at once. If more die,
 * replacements wait, and the wait doubles each time that too many die again. So it settles where at most
 * `intensity` threads die within `periodMs`. A thread that does not load doubles the wait by itself. A thread
 * that has lived for a whole period ends the waiting.
 *
 * There is no last attempt: an application may recover by itself, for instance when its database comes back.
 */
import type { RestartOptions } from './pool-options.ts';

export class Restarts {
  /** May be replaced. A wait that has begun is not changed. */
  options: RestartOptions;
  readonly #random: () => number;
  /** Deaths in this period, since the wait was doubled last. */
  #deathsMs: number[] = [];
  /** How often the wait has been doubled, counting its first value as once. */
  #steps = 0;
  /** When the last thread died, started or loaded. */
  #lastNewsMs = Number.NEGATIVE_INFINITY;
  /** When the next thread may be started; a time in the past means at once. */
  nextStartMs = Number.NEGATIVE_INFINITY;
  /** The last thread to start did not load, so only one is started at a time. */
  isProbing = false;

  constructor(options: RestartOptions, random: () => number = Math.random) {
    this.options = options;
    this.#random = random;
  }

  /** @returns whether too many have died; a pool may then give up */
  died(nowMs: number, hasLoaded: boolean): boolean {
    const { intensity, periodMs } = this.options;
    if (hasLoaded && nowMs - this.#lastNewsMs >= periodMs) this.#steps = 0;
    this.#lastNewsMs = nowMs;
    this.isProbing = !hasLoaded;
    this.#deathsMs = this.#deathsMs.filter((at) => nowMs - at < periodMs);
    this.#deathsMs.push(nowMs);
    const isTooMany = this.#deathsMs.length > intensity || (!hasLoaded && this.#steps > 0);
    if (isTooMany) {
      this.#steps++;
      this.#deathsMs = [];
    }
    // The death of another thread does not prolong the wait of a thread that waits already. Only a longer
    // wait does.
    this.nextStartMs = Math.max(this.nextStartMs, nowMs + this.#waitMs());
    return isTooMany;
  }

  /** Between half of the wait and all of it, so that threads that died together do not come back together. */
  #waitMs(): number {
    if (this.#steps === 0) return 0;
    const { delayMs, maxDelayMs } = this.options;
    // Beyond 2^31 times one millisecond, everything exceeds any maximum.
    const longestMs = Math.min(maxDelayMs, delayMs * 2 ** Math.min(this.#steps - 1, 31));
    return longestMs * (0.5 + this.#random() / 2);
  }

  /** The wait is over, even if the clock of this turn has not advanced far enough. */
  due(): void {
    this.nextStartMs = Number.NEGATIVE_INFINITY;
  }

  started(nowMs: number): void {
    this.#lastNewsMs = nowMs;
  }

  loaded(nowMs: number): void {
    this.#lastNewsMs = nowMs;
    this.isProbing = false;
  }
}
