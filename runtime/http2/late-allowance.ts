/**
 * What a peer may rightly still send on streams that have closed (RFC 9113 section 5.1), in bytes: updates for what the
 * streams were sent, and content for the windows that were open when we reset them. It is on its way, or the peer has
 * not read the response yet: a client may acknowledge it long after our END_STREAM.
 *
 * One account for all streams of the connection: an update or a DATA frame too many for one stream costs no more than
 * the same for another, and no list of closed streams has to be kept.
 */
import type { ReceiveFlow } from './receive-flow.ts';
import type { Http2Stream } from './stream.ts';

/** What is on its way at 1 Gbit/s over half a second. A long life must not add up to more. */
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

  /** A stream was reset, or refused, whose request had not ended. @param stream absent: it was never opened */
  onCutOff(stream?: Http2Stream): void {
    const openBytes = stream?.receiveWindow?.available ?? this.#flow.streamWindowBytes;
    this.#contentBytes = Math.min(mostBytes, this.#contentBytes + Math.max(0, openBytes));
  }

  /** A WINDOW_UPDATE on a closed stream. @returns whether it acknowledges what was sent */
  takeUpdate(increment: number): boolean {
    if (increment === 0 || increment > this.#acknowledgeableBytes) return false;
    this.#acknowledgeableBytes -= increment;
    return true;
  }

  /** A DATA frame on a closed stream. @returns whether the stream's window was open for it */
  takeContent(frameBytes: number): boolean {
    if (frameBytes === 0 || frameBytes > this.#contentBytes) return false;
    this.#contentBytes -= frameBytes;
    return true;
  }
}
