/**
 * Polls for a message before the thread sleeps, as long as that pays.
 *
 * Falling asleep and being woken takes longer than a small call. A thread that expects a reply therefore polls its
 * rings for some microseconds. This finds a message only if the other thread runs on another core at the same time.
 * If other threads need the cores too, polling is worse than sleeping: it uses up the thread's time slice, and the
 * thread then waits for a core itself. One poll without a result therefore outweighs many successful ones. When
 * polls no longer pay, occasions are skipped, twice as many each time.
 */
import { performance } from 'node:perf_hooks';
import type { ChannelEnd } from '../../wire/end.ts';

/** Longer than it takes to wake a thread and have it run a small method. */
const SPIN_MS = 0.05;
/** Reading the clock takes longer than looking at a ring. */
const LOOKS_PER_CLOCK = 8;
/**
 * This many successful polls make up for one without a result; successes beyond this many in a row are not
 * counted.
 */
const PAID_FOR_ONE_IN_VAIN = 128;
const MOST_IN_VAIN = 4;
const MOST_PASSED_OVER = 4_095;

export class Spin {
  readonly #nowMs: () => number;
  /** Successful polls that have not made up for a failed one yet. */
  #balance = 0;
  /** Occasions to skip before the next poll, and how many were skipped last time. */
  #left = 0;
  #passedOver = 0;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Counts an occasion. False: skip it. */
  isDue(): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  /** Looks at ends that are awake. True: one of them has something to receive. */
  findsNews(ends: readonly ChannelEnd[]): boolean {
    const endMs = this.#nowMs() + SPIN_MS;
    do {
      for (let look = 0; look < LOOKS_PER_CLOCK; look++) {
        if (haveNews(ends)) {
          this.#paid();
          return true;
        }
      }
    } while (this.#nowMs() < endMs);
    this.#wasInVain();
    return false;
  }

  #paid(): void {
    if (this.#balance < MOST_IN_VAIN * PAID_FOR_ONE_IN_VAIN) this.#balance++;
    else this.#passedOver = 0;
  }

  #wasInVain(): void {
    this.#balance -= PAID_FOR_ONE_IN_VAIN;
    if (this.#balance >= 0) return;
    this.#balance = 0;
    this.#passedOver = Math.min(2 * this.#passedOver + 1, MOST_PASSED_OVER);
    this.#left = this.#passedOver;
  }
}

function haveNews(ends: readonly ChannelEnd[]): boolean {
  for (let i = 0; i < ends.length; i++) if (ends[i]?.hasNews) return true;
  return false;
}
