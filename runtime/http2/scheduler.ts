/**
 * Decides which stream sends next (RFC 9218 section 10). Streams with queued bytes and an open window form
 * one ring for each urgency, linked through the streams themselves. Each turn is one frame, and the most
 * urgent ring goes first.
 *
 * A stream that takes turns goes to the back of its ring after each frame, so that one with a gigabyte queued
 * and one with a kilobyte get the same share. A stream that does not take turns stays in front until it has
 * nothing more to send, in the order of stream ids.
 *
 * No stream starves: every `leapEvery`th turn goes to the streams that wait behind.
 *
 * Field sections take no turns. Those that wait for the socket form a queue of their own, in the order in
 * which they came, and go before all content.
 *
 * The scheduler knows neither the arithmetic of windows nor frames.
 */
import { type Http2Stream, SendWaiting } from './stream.ts';

/** Less urgent streams get at least an eighth of what leaves. */
const leapEvery = 8;

export class SendScheduler {
  /** Indexed by urgency. */
  readonly #heads: (Http2Stream | null)[] = [null, null, null, null, null, null, null, null];
  /** One bit per urgency, set if its ring has streams. */
  #urgencies = 0;
  /** Turns since the last leap. */
  #turns = 0;
  /** The urgency that got the last leap. */
  #leaptTo = 0;
  /** Streams with queued bytes whose own window is shut. */
  stalledCount = 0;
  readyCount = 0;
  /** Streams whose head or trailers wait for room; null until the first one. */
  #sections: Set<Http2Stream> | null = null;

  /** The stream whose turn it is. */
  get first(): Http2Stream | null {
    const urgencies = this.#urgencies;
    if (urgencies === 0) return null;
    const most = 31 - Math.clz32(urgencies & -urgencies);
    const head = this.#heads[most] as Http2Stream;
    if (this.#turns < leapEvery - 1 || this.readyCount === 1) return head;
    const urgency = this.#leap(urgencies);
    if (urgency !== most) return this.#heads[urgency];
    return head.takesTurns ? head : head.readyNext;
  }

  /** The next ring after the one that got the last leap. */
  #leap(urgencies: number): number {
    let urgency = this.#leaptTo;
    do urgency = (urgency + 1) & 7;
    while ((urgencies & (1 << urgency)) === 0);
    return urgency;
  }

  /**
   * The stream, which was `first`, sends a frame. Afterwards its sender calls `remove`, `stall` or `rotate`.
   */
  take(stream: Http2Stream): void {
    if (this.#turns < leapEvery - 1) {
      this.#turns++;
    } else {
      this.#turns = 0;
      this.#leaptTo = stream.urgency;
    }
  }

  /** The stream has queued bytes and an open window. It joins its ring unless it is already in it. */
  ready(stream: Http2Stream): void {
    if (stream.waiting === SendWaiting.Turn) return;
    this.remove(stream);
    stream.waiting = SendWaiting.Turn;
    this.readyCount++;
    const { urgency } = stream;
    const head = this.#heads[urgency];
    if (head === null) {
      stream.readyNext = stream;
      stream.readyPrevious = stream;
      this.#heads[urgency] = stream;
      this.#urgencies |= 1 << urgency;
      return;
    }
    // The back of a ring is the place before its head. Where the order of ids counts, the stream goes before
    // later ones of its kind.
    let next = head;
    if (!stream.takesTurns) {
      for (let last = head.readyPrevious as Http2Stream; !last.takesTurns && last.id > stream.id; ) {
        next = last;
        if (last === head) {
          this.#heads[urgency] = stream;
          break;
        }
        last = last.readyPrevious as Http2Stream;
      }
    }
    const previous = next.readyPrevious as Http2Stream;
    stream.readyNext = next;
    stream.readyPrevious = previous;
    previous.readyNext = stream;
    next.readyPrevious = stream;
  }

  /** The stream has queued bytes and a shut window. */
  stall(stream: Http2Stream): void {
    if (stream.waiting === SendWaiting.Window) return;
    this.remove(stream);
    stream.waiting = SendWaiting.Window;
    this.stalledCount++;
  }

  /** The stream's head or trailers wait for room. */
  hold(stream: Http2Stream): void {
    this.remove(stream);
    stream.waiting = SendWaiting.Room;
    this.#sections ??= new Set();
    this.#sections.add(stream);
  }

  /** Whether head or trailers of any stream wait for room. */
  get holdsSections(): boolean {
    return this.#sections !== null && this.#sections.size > 0;
  }

  /** The stream whose head or trailers have waited longest. */
  get firstSection(): Http2Stream | null {
    if (this.#sections === null) return null;
    for (const stream of this.#sections) return stream;
    return null;
  }

  /** The stream has had its turn and needs another. */
  rotate(stream: Http2Stream): void {
    if (stream.takesTurns && this.#heads[stream.urgency] === stream) {
      this.#heads[stream.urgency] = stream.readyNext;
    }
  }

  /** The stream no longer waits for anything, or is gone. */
  remove(stream: Http2Stream): void {
    if (stream.waiting === SendWaiting.Window) {
      this.stalledCount--;
    } else if (stream.waiting === SendWaiting.Room) {
      this.#sections?.delete(stream);
    } else if (stream.waiting === SendWaiting.Turn) {
      this.readyCount--;
      const { urgency } = stream;
      const next = stream.readyNext as Http2Stream;
      if (next === stream) {
        this.#heads[urgency] = null;
        this.#urgencies &= ~(1 << urgency);
      } else {
        const previous = stream.readyPrevious as Http2Stream;
        previous.readyNext = next;
        next.readyPrevious = previous;
        if (this.#heads[urgency] === stream) this.#heads[urgency] = next;
      }
      stream.readyNext = null;
      stream.readyPrevious = null;
    }
    stream.waiting = SendWaiting.Nothing;
  }

  /** The peer has set the stream's urgency, and whether its response is useful in pieces. */
  place(stream: Http2Stream, urgency: number, incremental: boolean): void {
    const wasReady = stream.waiting === SendWaiting.Turn;
    if (wasReady) this.remove(stream);
    stream.urgency = urgency;
    stream.incremental = incremental;
    stream.takesTurns = incremental;
    if (wasReady) this.ready(stream);
  }
}
