/**
 * How fast the peer of an HTTP/1.1 connection keeps up: its reading, its heads, its idle time between
 * requests, and requests that are only read so that the connection can be used again. `Deadlines` checks what
 * concerns a single exchange.
 */
import { Deadline } from '../deadlines/counters.ts';
import type { Deadlines } from '../deadlines/deadlines.ts';
import type { Http1Engine } from '../http1/engine.ts';
import type { Http1Options } from '../http1/options.ts';
import { ReadingPace } from './reading-pace.ts';

export class Http1Pace {
  readonly #reading = new ReadingPace();
  /** Since when no request has been open. */
  #idleSinceMs: number;
  /** The number of requests received when a tick found an incomplete head; -1: none was found. */
  #headAfter = -1;
  #headMs = 0;
  /**
   * The number of requests received when a tick found that the last of them was being discarded; -1: none was
   * found.
   */
  #discarding = -1;
  #discardMs = 0;

  constructor(nowMs: number) {
    this.#idleSinceMs = nowMs;
  }

  /** A request is over. */
  onClose(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  readsTooSlowly(waits: boolean, takenBytes: number, deadlines: Deadlines): boolean {
    return this.#reading.isTooSlow(waits, takenBytes, deadlines);
  }

  /** Called once per tick. Returns the deadline that the peer has missed. */
  missedBy(
    engine: Http1Engine,
    { headerTimeoutMs, keepAliveTimeoutMs, discardTimeoutMs }: Http1Options,
    nowMs: number,
    stepMs: number,
  ): typeof Deadline.Header | typeof Deadline.Idle | 'discard' | null {
    // Here and below, time counts only if it is the same one as at the last tick: on a busy connection there
    // often is one in progress.
    const discarding = engine.isDiscarding ? engine.requestCount : -1;
    this.#discardMs = discarding === this.#discarding ? this.#discardMs + stepMs : 0;
    this.#discarding = discarding;
    if (discarding !== -1 && this.#discardMs >= discardTimeoutMs) return 'discard';
    const head = engine.isWithinHead ? engine.requestCount : -1;
    this.#headMs = head === this.#headAfter ? this.#headMs + stepMs : 0;
    this.#headAfter = head;
    if (head !== -1) return this.#headMs >= headerTimeoutMs ? Deadline.Header : null;
    if (engine.messageCount > 0) return null;
    // A client that still reads its last response is not idle yet. It would find its connection closed after
    // that, and lose its next request.
    if (engine.unsentBytes > 0) {
      this.#idleSinceMs = nowMs;
      return null;
    }
    // A new connection must send its first request; an older one may be idle for a while. Empty lines begin
    // no request.
    const isNew = engine.requestCount === 0;
    const limitMs = isNew ? headerTimeoutMs : keepAliveTimeoutMs;
    if (limitMs === 0 || nowMs - this.#idleSinceMs < limitMs) return null;
    return isNew ? Deadline.Header : Deadline.Idle;
  }
}
