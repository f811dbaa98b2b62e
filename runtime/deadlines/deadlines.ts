/**
 * The deadlines of all open exchanges, on one coarse tick: a list through the exchanges that is walked about once a
 * second. No exchange has a timer, and opening one costs two pointers.
 *
 * Slowness is judged by rate, and only over time in which the peer could have been faster. What a peer owes adds up while
 * the application waits for content and the windows let it come, or while response bytes wait for the peer and nobody
 * else; when a window's worth of such time has gone by, what has moved meanwhile is held against the least rate. So a
 * peer that we hold back is never slow, and one that drips a byte at every tick is.
 */
import { Deadline, DeadlineCounters } from './counters.ts';
import type { RateLimit } from './rate.ts';
import { isSlow } from './rate.ts';
import type { Watch, Watchable, Watcher } from './watch.ts';

export interface DeadlineOptions {
  readonly requestRate: RateLimit;
  readonly responseRate: RateLimit;
  /** From a request's head to the end of its response; 0: any time. */
  readonly exchangeTimeoutMs: number;
}

/**
 * The most that one tick counts for. When we were stopped ourselves, by a debugger or a sleeping machine, no peer has been
 * slow in the meantime.
 */
const MAX_STEP_MS = 2_000;

export class Deadlines implements Watcher {
  readonly counters = new DeadlineCounters();
  /** May be replaced: exchanges that are open are held to the new ones. */
  options: DeadlineOptions;
  #first: Watchable | null = null;
  /** The next one of a walk that is under way: it may be ended, with others, by what the walk does. */
  #next: Watchable | null = null;
  #tickedMs: number;
  /** What the last tick counted for. */
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

  /** Every open exchange, the newest first. Nothing may end one meanwhile. */
  *watched(): Generator<Watchable> {
    for (let exchange = this.#first; exchange !== null; exchange = exchange.nextWatched) yield exchange;
  }

  /** No exchange is open. */
  get isEmpty(): boolean {
    return this.#first === null;
  }

  /** Time has passed: before anything that reads `stepMs`. */
  advance(nowMs: number): void {
    this.stepMs = Math.max(0, Math.min(nowMs - this.#tickedMs, MAX_STEP_MS));
    this.#tickedMs = nowMs;
  }

  /** Judges every open exchange by the time that `advance` has told. */
  judge(): void {
    for (let exchange = this.#first; exchange !== null; exchange = this.#next) {
      this.#next = exchange.nextWatched;
      const watch = (exchange.watch ??= exchange.createWatch());
      const deadline = this.#missedBy(watch);
      if (deadline !== null) this.#tell(watch, deadline);
    }
    this.#next = null;
  }

  /** For every open exchange the time is over, whatever it does. */
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
      // An error of ours costs this exchange, and not the others their deadlines.
      watch.onFault(error);
    }
  }

  #missedBy(watch: Watch): Deadline | null {
    const { requestRate, responseRate, exchangeTimeoutMs } = this.options;
    watch.ageMs += this.stepMs;
    if (exchangeTimeoutMs > 0 && watch.ageMs >= exchangeTimeoutMs && watch.hasEnd) {
      // It is told once: the response that says so has a while to leave.
      watch.ageMs = Number.NEGATIVE_INFINITY;
      return Deadline.Exchange;
    }
    const least = watch.leastRequestBytesPerSecond;
    if (least > 0 && watch.isWaitingForContent) {
      watch.requestAwaitedMs += this.stepMs;
      if (watch.requestAwaitedMs >= requestRate.windowMs) {
        const { receivedBytes } = watch;
        const came = receivedBytes - watch.requestMarkBytes;
        const slow = isSlow(came, watch.requestAwaitedMs, least);
        watch.requestMarkBytes = receivedBytes;
        watch.requestAwaitedMs = 0;
        if (slow) return Deadline.RequestRate;
      }
    }
    const taken = responseRate.bytesPerSecond === 0 ? -1 : watch.takenBytes;
    if (taken >= 0) {
      // The first time that something waits only says from where to count.
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
