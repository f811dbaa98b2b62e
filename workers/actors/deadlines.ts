/**
 * The deadlines of a thread's calls. Most calls to an actor have the same time limit. Calls with the same limit
 * share a queue, in the order of their deadlines, and each queue has one timer. A call that gets its reply in time
 * therefore needs no timer of its own.
 */
import { clockMilliseconds } from '../../wire/clock.ts';

/** Something with a deadline. */
export interface Due {
  /** The time, as `clockMilliseconds`. */
  dueMs: number;
  /** The queue in which it waits; null: none. */
  queue: DueQueue | null;
  earlier: Due | null;
  later: Due | null;
  late(): void;
}

export interface DeadlineTimers {
  setTimer(callback: () => void, afterMs: number): object;
  clearTimer(timer: object | undefined): void;
}

export class DueQueue {
  readonly lengthMs: number;
  first: Due | null = null;
  last: Due | null = null;
  timer: object | undefined;

  constructor(lengthMs: number) {
    this.lengthMs = lengthMs;
  }
}

/** How many empty queues are kept until their timer fires, for limits that are used again and again. */
const KEPT_QUEUES = 16;

export class Deadlines {
  readonly #timers: DeadlineTimers;
  /** By time limit. */
  readonly #queues = new Map<number, DueQueue>();

  constructor(timers: DeadlineTimers) {
    this.#timers = timers;
  }

  /** @param lengthMs a whole number from 1 */
  add(due: Due, lengthMs: number): void {
    let queue = this.#queues.get(lengthMs);
    if (queue === undefined) {
      queue = new DueQueue(lengthMs);
      this.#queues.set(lengthMs, queue);
    }
    due.dueMs = (clockMilliseconds() + lengthMs) >>> 0;
    due.queue = queue;
    due.earlier = queue.last;
    if (queue.last === null) queue.first = due;
    else queue.last.later = due;
    queue.last = due;
    if (queue.timer === undefined) this.#arm(queue, lengthMs);
  }

  delete(due: Due): void {
    const { queue, earlier, later } = due;
    if (queue === null) return;
    if (earlier === null) queue.first = later;
    else earlier.later = later;
    if (later === null) queue.last = earlier;
    else later.earlier = earlier;
    due.queue = null;
    due.earlier = null;
    due.later = null;
    if (queue.first === null && this.#queues.size > KEPT_QUEUES) this.#drop(queue);
  }

  #drop(queue: DueQueue): void {
    this.#timers.clearTimer(queue.timer);
    queue.timer = undefined;
    this.#queues.delete(queue.lengthMs);
  }

  #arm(queue: DueQueue, afterMs: number): void {
    queue.timer = this.#timers.setTimer(() => this.#look(queue), afterMs);
  }

  #look(queue: DueQueue): void {
    // Its timer stays in its place meanwhile: what `late` adds is looked at here.
    const nowMs = clockMilliseconds();
    for (let due = queue.first; due !== null; due = queue.first) {
      const leftMs = (due.dueMs - nowMs) | 0;
      if (leftMs > 0) {
        this.#arm(queue, leftMs);
        return;
      }
      this.delete(due);
      due.late();
    }
    queue.timer = undefined;
    if (this.#queues.get(queue.lengthMs) === queue) this.#queues.delete(queue.lengthMs);
  }

  clear(): void {
    for (const { timer } of this.#queues.values()) this.#timers.clearTimer(timer);
    this.#queues.clear();
  }
}
