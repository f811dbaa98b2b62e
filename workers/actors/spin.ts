/**
 * Looks for a message again and again before the thread sleeps, as long as that pays.
 *
 * To fall asleep and be woken takes a thread longer than a small call. So a thread that expects a message for the one that it has sent keeps
 * looking at its rings for some microseconds. A message comes in this time only if the other thread runs on another core at the same time.
 * If other threads want the cores as well, looking is worse than sleeping: it uses up the time that the thread has on its core, until it
 * has to wait for a core itself. So one look in vain outweighs many that paid. If they no longer pay, occasions are passed over, twice as
 * many each time.
 */
import { performance } from 'node:perf_hooks';
import type { ChannelEnd } from '../../wire/end.ts';

/** Longer than it takes to wake a thread and have it run a small method. */
const SPIN_MS = 0.05;
/** To read the clock takes longer than to look at a ring. */
const LOOKS_PER_CLOCK = 8;
/** As many looks that paid make up for one in vain, and so many of those in a row. */
const PAID_FOR_ONE_IN_VAIN = 128;
const MOST_IN_VAIN = 4;
const MOST_PASSED_OVER = 4_095;

export class Spin {
  readonly #nowMs: () => number;
  /** Looks that paid and have made up for none in vain. */
  #balance = 0;
  /** Occasions that are passed over before the next look, and how many they were the last time. */
  #left = 0;
  #passedOver = 0;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Counts an occasion. False: it is to be passed over. */
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
