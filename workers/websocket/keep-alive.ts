/**
 * Finds out whether a silent peer is still there (RFC 6455 section 5.5.2): after a while without a sign of it, a Ping; after
 * a while without an answer, it is gone. Anything that comes is a sign, and so is what it takes of ours after it had to wait: a peer
 * that reads slowly answers late.
 */

/** Time, passed in. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface KeepAliveTarget {
  ping(): void;
  /** The peer is not read at present, so that its silence means nothing. */
  readonly isHeld: boolean;
  onSilence(): void;
}

export class KeepAlive {
  readonly #target: KeepAliveTarget;
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #timer: unknown;
  #heard = false;

  /** @param intervalMs 0: no pings, and nothing is ever found out. */
  constructor(target: KeepAliveTarget, timers: Timers, intervalMs: number, timeoutMs: number) {
    this.#target = target;
    this.#timers = timers;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    if (intervalMs > 0) this.#wait(intervalMs);
  }

  /** A sign of the peer. No timer is touched: this is called for every chunk. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#timers.clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#heard = false;
    this.#timer = this.#timers.setTimeout(() => this.#ask(), ms);
  }

  #ask(): void {
    if (this.#heard || this.#target.isHeld) {
      this.#wait(this.#intervalMs);
      return;
    }
    this.#target.ping();
    this.#timer = this.#timers.setTimeout(() => this.#judge(), this.#timeoutMs);
  }

  #judge(): void {
    // The time for the answer is part of the interval, so that a silent peer is pinged once in each.
    if (this.#heard || this.#target.isHeld) this.#wait(Math.max(1, this.#intervalMs - this.#timeoutMs));
    else this.#target.onSilence();
  }
}
