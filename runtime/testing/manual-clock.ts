/** Time that passes only when a test says so, and the timers that wait for it. */
import type { Timers } from '../../workers/actors/actor-thread.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class ManualClock implements Timers {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  /** Milliseconds since the test began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Timers that are set and not due. */
  get pending(): number {
    return this.#timers.size;
  }

  set(callback: () => void, afterMs: number): object {
    const timer = { atMs: this.#nowMs + afterMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  clear(timer: object): void {
    this.#timers.delete(timer as Timer);
  }

  /** Lets this much time pass. Timers that become due run at their own time, in order. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let due = this.#next(untilMs); due !== null; due = this.#next(untilMs)) {
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.callback();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (next === null || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }
}
