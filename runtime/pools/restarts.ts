/**
 * When dead threads are replaced.
 *
 * While no more die than `intensity` within `periodMs`, each is replaced at once. More of them make replacements wait, and the wait
 * doubles each time that too many die again: it comes to rest where no more than `intensity` die within `periodMs`. A thread that does
 * not even load doubles it by itself. A thread that has lived for a whole period ends the waiting.
 *
 * There is no last attempt: an application may recover by itself, as when the database that it needs comes back.
 */
import type { RestartOptions } from './pool-options.ts';

export class Restarts {
  /** May be replaced: what is waited for stays. */
  options: RestartOptions;
  readonly #random: () => number;
  /** Of this period, and since the wait was doubled last. */
  #deathsMs: number[] = [];
  /** How often the wait has been doubled, and once for the first. */
  #steps = 0;
  /** Of the last death, start or load. */
  #lastNewsMs = Number.NEGATIVE_INFINITY;
  /** When the next thread may be started; in the past: at once. */
  nextStartMs = Number.NEGATIVE_INFINITY;
  /** No thread has loaded since one did not: one is enough to try. */
  isProbing = false;

  constructor(options: RestartOptions, random: () => number = Math.random) {
    this.options = options;
    this.#random = random;
  }

  /** @returns whether too many have died, which a pool may give up for */
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
    // A thread that waits for its turn already does not wait for longer because of another's death, only for the longer wait.
    this.nextStartMs = Math.max(this.nextStartMs, nowMs + this.#waitMs());
    return isTooMany;
  }

  /** Between half and all of it, so that what died together does not come back together. */
  #waitMs(): number {
    if (this.#steps === 0) return 0;
    const { delayMs, maxDelayMs } = this.options;
    // Beyond 2^31 steps of one millisecond everything is longer than any maximum.
    const longestMs = Math.min(maxDelayMs, delayMs * 2 ** Math.min(this.#steps - 1, 31));
    return longestMs * (0.5 + this.#random() / 2);
  }

  /** The time has come, whatever the clock of this turn says. */
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
