/**
 * Estimates the connection's round trip: from the server's SETTINGS to their acknowledgement, and from one
 * PING, sent when a better value is first needed.
 *
 * The smallest sample counts. Whatever delays an answer, such as a client that starts up or a queue full of
 * an upload's own bytes, makes a sample longer than the way. Nothing makes it shorter.
 */
import type { FrameWriter } from './frame-writer.ts';

/** Tells the answer to this PING from the answers to the owner's PINGs. */
const measuringPing = Buffer.from('sluice\0\x01', 'latin1');

export class RoundTrip {
  readonly #writer: FrameWriter;
  /** -1: not known yet. */
  leastMs = -1;
  #state: 'unmeasured' | 'measuring' | 'measured' = 'unmeasured';
  #sentAtMs = 0;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Sends the PING, the first time only. */
  measure(nowMs: number): void {
    if (this.#state !== 'unmeasured') return;
    this.#state = 'measuring';
    this.#sentAtMs = nowMs;
    this.#writer.ping(false, measuringPing, 0);
  }

  /** @returns whether bytes[start, start+8) answer this PING */
  takeAnswer(bytes: Uint8Array, start: number, nowMs: number): boolean {
    if (this.#state !== 'measuring') return false;
    for (let i = 0; i < measuringPing.length; i++) if (bytes[start + i] !== measuringPing[i]) return false;
    this.#state = 'measured';
    this.take(nowMs - this.#sentAtMs);
    return true;
  }

  take(sampleMs: number): void {
    if (this.leastMs < 0 || sampleMs < this.leastMs) this.leastMs = sampleMs;
  }
}
