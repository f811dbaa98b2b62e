/**
 * How fast the peer of an HTTP/2 connection keeps up in what all streams share: its reading and its heads.
 * `Deadlines` checks what concerns a single exchange.
 */
import type { Deadlines } from '../deadlines/deadlines.ts';
import type { Http2Engine } from '../http2/engine.ts';
import { FrameType } from '../http2/frames.ts';
import { ReadingPace } from './reading-pace.ts';

export class Http2Pace {
  /** Since the last tick, a stream was found with content that only the connection's window holds back. */
  isHeldByWindow = false;
  readonly #reading = new ReadingPace();
  /** The number of HEADERS frames received when a tick found an incomplete head; -1: none was found. */
  #headFrames = -1;
  #headMs = 0;

  /** @param waits the socket has output that it has not taken */
  readsTooSlowly(waits: boolean, takenBytes: number, deadlines: Deadlines): boolean {
    const isWaiting = waits || this.isHeldByWindow;
    this.isHeldByWindow = false;
    return this.#reading.isTooSlow(isWaiting, takenBytes, deadlines);
  }

  /**
   * A field block that has begun blocks everything else that the peer could send (RFC 9113 section 4.3),
   * however many CONTINUATIONs it has.
   */
  isHeadLate(engine: Http2Engine, { stepMs }: Deadlines, timeoutMs: number): boolean {
    const heads = engine.isWithinHead ? (engine.counters.framesIn[FrameType.Headers] as number) : -1;
    // Time counts only if it is the same one as at the last tick: on a busy connection there often is one in
    // progress.
    this.#headMs = heads === this.#headFrames ? this.#headMs + stepMs : 0;
    this.#headFrames = heads;
    return heads !== -1 && this.#headMs >= timeoutMs && engine.state === 'open';
  }
}
