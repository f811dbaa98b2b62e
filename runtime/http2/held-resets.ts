/**
 * Holds back the RST_STREAM with NO_ERROR that follows an error response which is complete before its request
 * (RFC 9113 section 8.1), until the peer has read the response.
 *
 * A client that is still uploading may take a reset for the end of everything. It then loses what it has
 * received and not yet passed on, as curl 7.88 does. A client handles frames in their order, so its answer to
 * a PING that follows the response says that it has handled the response.
 *
 * After an error such a client ends its upload by itself. After any other status it continues, and curl would
 * wait for a window that never opens; so there the reset is sent at once.
 *
 * For the server the stream is closed as if the reset had been sent. The peer can send no more on it than its
 * window was open for.
 */
import { ErrorCode } from './errors.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Tells the answer to this PING from the answers to the server's other PINGs. */
const behindResponsePing = Buffer.from('sluice\0\x02', 'latin1');

export class HeldResets {
  readonly #writer: FrameWriter;
  readonly #longestMs: number;
  readonly #most: number;
  /** Streams whose responses the current PING follows. */
  #pinged: number[] = [];
  /** Streams for the next PING: only one is in flight at a time, however many uploads are answered early. */
  #next: number[] = [];
  #pingedAtMs = 0;

  /**
   * @param longestMs how long to wait for a peer that does not answer the PING; 0: nothing is held
   * @param most the most streams that are held
   */
  constructor(writer: FrameWriter, longestMs: number, most: number) {
    this.#writer = writer;
    this.#longestMs = longestMs;
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#pinged.length === 0;
  }

  /** The stream's response has been written in full. */
  hold(id: number, nowMs: number): void {
    if (this.#longestMs === 0 || this.#pinged.length + this.#next.length >= this.#most) {
      this.#writer.rstStream(id, ErrorCode.NoError);
      return;
    }
    this.#next.push(id);
    if (this.#pinged.length === 0) this.#ping(nowMs);
  }

  /** The peer has ended the stream itself, so no reset is needed. */
  forget(id: number): void {
    remove(this.#next, id);
    // The array keeps its length, because the PING is in flight even if nothing waits for it.
    const at = this.#pinged.indexOf(id);
    if (at !== -1) this.#pinged[at] = 0;
  }

  /** @returns whether bytes[start, start+8) answer this object's PING */
  takeAnswer(bytes: Uint8Array, start: number, nowMs: number): boolean {
    if (this.isEmpty) return false;
    for (let i = 0; i < behindResponsePing.length; i++) {
      if (bytes[start + i] !== behindResponsePing[i]) return false;
    }
    this.#release(nowMs);
    return true;
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    if (!this.isEmpty && nowMs - this.#pingedAtMs >= this.#longestMs) this.#release(nowMs);
  }

  #ping(nowMs: number): void {
    this.#pinged = this.#next;
    this.#next = [];
    this.#pingedAtMs = nowMs;
    this.#writer.ping(false, behindResponsePing, 0);
  }

  #release(nowMs: number): void {
    for (const id of this.#pinged) if (id !== 0) this.#writer.rstStream(id, ErrorCode.NoError);
    this.#pinged = [];
    if (this.#next.length > 0) this.#ping(nowMs);
  }
}

function remove(ids: number[], id: number): void {
  const at = ids.indexOf(id);
  if (at !== -1) ids.splice(at, 1);
}
