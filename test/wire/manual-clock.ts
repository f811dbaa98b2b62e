/** A clock that the test moves, for a process that runs or is stopped. */
import type { Clock } from '../../wire/running-timer.ts';

/** One timer at a time, as `RunningTimer` sets them. */
export class ManualClock implements Clock {
  nowMs = 0;
  #due: { readonly atMs: number; readonly run: () => void } | null = null;

  now(): number {
    return this.nowMs;
  }

  after(ms: number, run: () => void): () => void {
    const due = { atMs: this.nowMs + ms, run };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = null;
    };
  }

  /** The process runs: what is due is called when it is. */
  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let due = this.#due; due !== null && due.atMs <= untilMs; due = this.#due) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      this.#due = null;
      due.run();
    }
    this.nowMs = untilMs;
  }

  /** The process stands still; what was due meanwhile is called at the end. */
  stop(ms: number): void {
    this.nowMs += ms;
    this.run(0);
  }
}
