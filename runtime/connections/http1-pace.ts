/**
 * How fast the peer of an HTTP/1.1 connection keeps up: its reading, its heads, its rest between requests, and what is only
 * read so that the connection can go on. What concerns a single request is its exchange's (see `Deadlines`).
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
  /** Requests that had come when a tick found a head that was not whole; -1: none was found. */
  #headAfter = -1;
  #headMs = 0;
  /** Requests that had come when a tick found the last of them being discarded; -1: none was found. */
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

  /** Once a tick: which deadline the peer has missed. */
  missedBy(
    engine: Http1Engine,
    { headerTimeoutMs, keepAliveTimeoutMs, discardTimeoutMs }: Http1Options,
    nowMs: number,
    stepMs: number,
  ): typeof Deadline.Header | typeof Deadline.Idle | 'discard' | null {
    // Only the same one as at the last tick, here and below: on a busy connection there is often one under way.
    const discarding = engine.isDiscarding ? engine.requestCount : -1;
    this.#discardMs = discarding === this.#discarding ? this.#discardMs + stepMs : 0;
    this.#discarding = discarding;
    if (discarding !== -1 && this.#discardMs >= discardTimeoutMs) return 'discard';
    const head = engine.isWithinHead ? engine.requestCount : -1;
    this.#headMs = head === this.#headAfter ? this.#headMs + stepMs : 0;
    this.#headAfter = head;
    if (head !== -1) return this.#headMs >= headerTimeoutMs ? Deadline.Header : null;
    if (engine.messageCount > 0) return null;
    // A client that reads its last answer does not rest yet. It would find its connection closed behind that, and lose what it asks next.
    if (engine.unsentBytes > 0) {
      this.#idleSinceMs = nowMs;
      return null;
    }
    // A new connection owes its first request, an older one may rest a while. Empty lines begin no request.
    const isNew = engine.requestCount === 0;
    const limitMs = isNew ? headerTimeoutMs : keepAliveTimeoutMs;
    if (limitMs === 0 || nowMs - this.#idleSinceMs < limitMs) return null;
    return isNew ? Deadline.Header : Deadline.Idle;
  }
}
