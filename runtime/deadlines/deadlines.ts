/**
 * The deadlines of all open exchanges, on one coarse tick: a list through the exchanges is walked about once
 * a second. No exchange has a timer, and opening one costs two pointers.
 *
 * Slowness is judged by rate, and only over time in which the peer could have been faster. That is time in
 * which the application waits for content and the windows are open, or in which response bytes wait only for
 * the peer. When a window's worth of such time has passed, the bytes that moved in it are compared with the
 * least rate. So a peer that the server holds back is never slow, and a peer that drips one byte per tick is.
 */
import { Deadline, DeadlineCounters } from './counters.ts';
import type { RateLimit } from './rate.ts';
import { isSlow } from './rate.ts';
import type { Watch, Watchable, Watcher } from './watch.ts';

export interface DeadlineOptions {
  readonly requestRate: RateLimit;
  readonly responseRate: RateLimit;
  /** From a request's head to the end of its response; 0: no limit. */
  readonly exchangeTimeoutMs: number;
}

/**
 * The most that one tick counts for. If the server itself was stopped, by a debugger or a sleeping machine,
 * no peer was slow in the meantime.
 */
const MAX_STEP_MS = 2_000;

export class Deadlines implements Watcher {
  readonly counters = new DeadlineCounters();
  /** May be replaced; the new options also apply to open exchanges. */
  options: DeadlineOptions;
  #first: Watchable | null = null;
  /** The next exchange of the current walk. The walk may end that one too, together with others. */
  #next: Watchable | null = null;
  #tickedMs: number;
  /** The time that the last tick counts for. */
  stepMs = 0;

  constructor(options: DeadlineOptions, nowMs: number) {
    this.options = options;
    this.#tickedMs = nowMs;
  }

  watch(exchange: Watchable): void {
    const first = this.#first;
    exchange.watcher = this;
    exchange.nextWatched = first;
    if (first !== null) first.previousWatched = exchange;
    this.#first = exchange;
  }

  forget(exchange: Watchable): void {
    if (exchange.watcher === null) return;
    const { previousWatched: previous, nextWatched: next } = exchange;
    if (this.#next === exchange) this.#next = next;
    if (previous === null) this.#first = next;
    else previous.nextWatched = next;
    if (next !== null) next.previousWatched = previous;
    exchange.watcher = null;
    exchange.previousWatched = null;
    exchange.nextWatched = null;
  }

  /** Every open exchange, the newest first. No exchange may end during the iteration. */
  *watched(): Generator<Watchable> {
    for (let exchange = this.#first; exchange !== null; exchange = exchange.nextWatched) yield exchange;
  }

  /** True if no exchange is open. */
  get isEmpty(): boolean {
    return this.#first === null;
  }

  /** Time has passed. Must be called before anything that reads `stepMs`. */
  advance(nowMs: number): void {
    this.stepMs = Math.max(0, Math.min(nowMs - this.#tickedMs, MAX_STEP_MS));
    this.#tickedMs = nowMs;
  }

  /** Checks every open exchange against the time that `advance` was given. */
  judge(): void {
    for (let exchange = this.#first; exchange !== null; exchange = this.#next) {
      this.#next = exchange.nextWatched;
      const watch = (exchange.watch ??= exchange.createWatch());
      const deadline = this.#missedBy(watch);
      if (deadline !== null) this.#tell(watch, deadline);
    }
    this.#next = null;
  }

  /** Ends every open exchange, whatever it does. */
  endAll(deadline: Deadline): void {
    for (let exchange = this.#first; exchange !== null; exchange = this.#next) {
      this.#next = exchange.nextWatched;
      this.#tell((exchange.watch ??= exchange.createWatch()), deadline);
    }
    this.#next = null;
  }

  #tell(watch: Watch, deadline: Deadline): void {
    this.counters[deadline]++;
    try {
      watch.onDeadline(deadline);
    } catch (error) {
      // An internal error costs this exchange, and the others keep their deadlines.
      watch.onFault(error);
    }
  }

  #missedBy(watch: Watch): Deadline | null {
    const { requestRate, responseRate, exchangeTimeoutMs } = this.options;
    watch.ageMs += this.stepMs;
    if (exchangeTimeoutMs > 0 && watch.ageMs >= exchangeTimeoutMs && watch.hasEnd) {
      // An exchange is told once: the response that says so has a while to leave.
      watch.ageMs = Number.NEGATIVE_INFINITY;
      return Deadline.Exchange;
    }
    const least = watch.leastRequestBytesPerSecond;
    if (least > 0 && watch.isWaitingForContent) {
      watch.requestAwaitedMs += this.stepMs;
      if (watch.requestAwaitedMs >= requestRate.windowMs) {
        const { receivedBytes } = watch;
        const received = receivedBytes - watch.requestMarkBytes;
        const slow = isSlow(received, watch.requestAwaitedMs, least);
        watch.requestMarkBytes = receivedBytes;
        watch.requestAwaitedMs = 0;
        if (slow) return Deadline.RequestRate;
      }
    }
    const taken = responseRate.bytesPerSecond === 0 ? -1 : watch.takenBytes;
    if (taken >= 0) {
      // When something waits for the first time, this only sets where to count from.
      if (watch.responseAwaitedMs === -1) watch.responseMarkBytes = taken;
      watch.responseAwaitedMs = watch.responseAwaitedMs === -1 ? 0 : watch.responseAwaitedMs + this.stepMs;
      if (watch.responseAwaitedMs >= responseRate.windowMs) {
        const left = taken - watch.responseMarkBytes;
        const slow = isSlow(left, watch.responseAwaitedMs, responseRate.bytesPerSecond);
        watch.responseMarkBytes = taken;
        watch.responseAwaitedMs = 0;
        if (slow) return Deadline.ResponseRate;
      }
    }
    return null;
  }
}
