/**
 * How fast the peer of an HTTP/2 connection keeps up in what all streams share: its reading and its heads. What concerns a
 * single stream is its exchange's (see `Deadlines`).
 */
import type { Deadlines } from '../deadlines/deadlines.ts';
import { isSlow } from '../deadlines/rate.ts';
import type { Http2Engine } from '../http2/engine.ts';
import { FrameType } from '../http2/frames.ts';

export class Http2Pace {
  /** Since the last tick a stream has been found with content that only the connection's window holds back. */
  isHeldByWindow = false;
  /** How long output has waited for the peer since its rate was judged last, and what had been taken by then. -1: never. */
  #owedMs = -1;
  #markBytes = 0;
  /** HEADERS frames that had come when a tick found a head that was not whole; -1: none was found. */
  #headFrames = -1;
  #headMs = 0;

  /** @param waits output has been given to the socket and not been taken */
  readsTooSlowly(waits: boolean, takenBytes: number, { options, stepMs }: Deadlines): boolean {
    const { bytesPerSecond, windowMs } = options.responseRate;
    const isOwed = waits || this.isHeldByWindow;
    this.isHeldByWindow = false;
    if (!isOwed || bytesPerSecond === 0) return false;
    if (this.#owedMs === -1) {
      this.#owedMs = 0;
      this.#markBytes = takenBytes;
      return false;
    }
    this.#owedMs += stepMs;
    if (this.#owedMs < windowMs) return false;
    const slow = isSlow(takenBytes - this.#markBytes, this.#owedMs, bytesPerSecond);
    this.#owedMs = 0;
    this.#markBytes = takenBytes;
    return slow;
  }

  /**
   * A field block that has begun stops everything else that the peer could send (RFC 9113 section 4.3), however many
   * CONTINUATIONs it comes in.
   */
  isHeadLate(engine: Http2Engine, { stepMs }: Deadlines, timeoutMs: number): boolean {
    const heads = engine.isWithinHead ? (engine.counters.framesIn[FrameType.Headers] as number) : -1;
    // Only the same one as at the last tick: on a busy connection there is often one under way.
    this.#headMs = heads === this.#headFrames ? this.#headMs + stepMs : 0;
    this.#headFrames = heads;
    return heads !== -1 && this.#headMs >= timeoutMs && engine.state === 'open';
  }
}
