/**
 * What a peer may rightfully still send on closed streams (RFC 9113 section 5.1), in bytes: updates for what
 * was sent on the streams, and content for the windows that were open when the server reset them. Such frames
 * are on their way, or the peer has not read the response yet: a client may acknowledge it long after the
 * server's END_STREAM.
 *
 * One account covers all streams of the connection. An excess update or DATA frame costs the same on any
 * stream, and no list of closed streams is needed.
 */
import type { ReceiveFlow } from './receive-flow.ts';
import type { Http2Stream } from './stream.ts';

/** What is in flight at 1 Gbit/s over half a second. A long connection must not accumulate more. */
const mostBytes = 1 << 26;

export class LateAllowance {
  readonly #flow: ReceiveFlow;
  #acknowledgeableBytes = 0;
  #contentBytes = 0;

  constructor(flow: ReceiveFlow) {
    this.#flow = flow;
  }

  /** The stream has closed. */
  onClosed({ sentBytes }: Http2Stream): void {
    this.#acknowledgeableBytes = Math.min(mostBytes, this.#acknowledgeableBytes + sentBytes);
  }

  /**
   * A stream was reset or refused before its request had ended.
   * @param stream absent: it was never opened
   */
  onCutOff(stream?: Http2Stream): void {
    const openBytes = stream?.receiveWindow?.available ?? this.#flow.streamWindowBytes;
    this.#contentBytes = Math.min(mostBytes, this.#contentBytes + Math.max(0, openBytes));
  }

  /**
   * Takes a WINDOW_UPDATE on a closed stream.
   * @returns whether it acknowledges what was sent
   */
  takeUpdate(increment: number): boolean {
    if (increment === 0 || increment > this.#acknowledgeableBytes) return false;
    this.#acknowledgeableBytes -= increment;
    return true;
  }

  /**
   * Takes a DATA frame on a closed stream.
   * @returns whether the stream's window was open for it
   */
  takeContent(frameBytes: number): boolean {
    if (frameBytes === 0 || frameBytes > this.#contentBytes) return false;
    this.#contentBytes -= frameBytes;
    return true;
  }
}
