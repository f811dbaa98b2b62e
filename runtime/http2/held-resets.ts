/**
 * RST_STREAM with NO_ERROR behind an error response that is whole before its request (RFC 9113 section 8.1), held back until the peer has
 * read the response.
 *
 * A client that is still uploading may take a reset for the end of everything: what it has received and not yet handed on is lost, as
 * with curl 7.88. It handles frames in their order, so the answer to a PING behind the response says that the response has been handled.
 * At an error such a client ends its upload by itself. At any other status it goes on, and curl would wait for a window that never opens,
 * so there the reset is better at once. For us the stream is closed as if the reset had gone; the peer can send no more on it than its window was open for.
 */
import { ErrorCode } from './errors.ts';
import type { FrameWriter } from './frame-writer.ts';

/** Tells this PING's answer from those to other PINGs of ours. */
const behindResponsePing = Buffer.from('sluice\0\x02', 'latin1');

export class HeldResets {
  readonly #writer: FrameWriter;
  readonly #longestMs: number;
  readonly #most: number;
  /** Streams whose responses the PING under way is behind. */
  #pinged: number[] = [];
  /** Those of the next PING: one at a time, however many uploads are answered early. */
  #next: number[] = [];
  #pingedAtMs = 0;

  /** @param longestMs a peer that does not answer the PING is waited for so long; 0: nothing is held. @param most streams */
  constructor(writer: FrameWriter, longestMs: number, most: number) {
    this.#writer = writer;
    this.#longestMs = longestMs;
    this.#most = most;
  }

  get isEmpty(): boolean {
    return this.#pinged.length === 0;
  }

  /** The stream's response has been written whole. */
  hold(id: number, nowMs: number): void {
    if (this.#longestMs === 0 || this.#pinged.length + this.#next.length >= this.#most) {
      this.#writer.rstStream(id, ErrorCode.NoError);
      return;
    }
    this.#next.push(id);
    if (this.#pinged.length === 0) this.#ping(nowMs);
  }

  /** The peer has ended the stream itself: there is nothing left to say on it. */
  forget(id: number): void {
    remove(this.#next, id);
    // Whatever else waits, the PING is under way.
    const at = this.#pinged.indexOf(id);
    if (at !== -1) this.#pinged[at] = 0;
  }

  /** @returns whether bytes[start, start+8) answer our PING. */
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
