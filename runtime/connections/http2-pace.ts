/**
 * How fast the peer of an HTTP/2 connection keeps up in what all streams share: its reading and its heads. What concerns a
 * single stream is its exchange's (see `Deadlines`).
 */
import type { Deadlines } from '../deadlines/deadlines.ts';
import type { Http2Engine } from '../http2/engine.ts';
import { FrameType } from '../http2/frames.ts';
import { ReadingPace } from './reading-pace.ts';

export class Http2Pace {
  /** Since the last tick a stream has been found with content that only the connection's window holds back. */
  isHeldByWindow = false;
  readonly #reading = new ReadingPace();
  /** HEADERS frames that had come when a tick found a head that was not whole; -1: none was found. */
  #headFrames = -1;
  #headMs = 0;

  /** @param waits output has been given to the socket and not been taken */
  readsTooSlowly(waits: boolean, takenBytes: number, deadlines: Deadlines): boolean {
    const isOwed = waits || this.isHeldByWindow;
    this.isHeldByWindow = false;
    return this.#reading.isTooSlow(isOwed, takenBytes, deadlines);
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
