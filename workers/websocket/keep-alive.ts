/**
 * Finds out whether a silent peer is still there (RFC 6455 section 5.5.2). After a period without a sign of
 * the peer it sends a Ping; after another without a response the peer is gone. Anything that arrives is a
 * sign. So is sent data that the peer takes after it had to wait, because a peer that reads slowly responds
 * late.
 */

/** Time, passed in. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface KeepAliveTarget {
  ping(): void;
  /** The peer is not being read at present, so its silence means nothing. */
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

  /** @param intervalMs 0: no pings, and a lost peer is never noticed */
  constructor(target: KeepAliveTarget, timers: Timers, intervalMs: number, timeoutMs: number) {
    this.#target = target;
    this.#timers = timers;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    if (intervalMs > 0) this.#wait(intervalMs);
  }

  /** Records a sign of the peer. It touches no timer, because it is called for every chunk. */
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
    // The time for the response is part of the interval, so that a silent peer gets one Ping per interval.
    if (this.#heard || this.#target.isHeld) this.#wait(Math.max(1, this.#intervalMs - this.#timeoutMs));
    else this.#target.onSilence();
  }
}
