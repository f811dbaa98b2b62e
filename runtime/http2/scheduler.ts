/**
 * Whose turn it is to send (RFC 9218 section 10). Streams with queued bytes and an open window of their own stand in a ring
 * for each urgency, linked through the streams themselves; each turn is one frame. The most urgent ring goes first. In it
 * a stream that takes turns goes to the back after each, so that one with a gigabyte queued and one with a kilobyte get the
 * same share; one that does not stays in front until it has nothing more, in the order of stream ids.
 *
 * Nobody starves: every `leapEvery`th turn belongs to those who stand behind.
 *
 * Field sections are no turns: those that wait for the socket stand in a line of their own, in the order in which they came, and
 * go before all content.
 *
 * Knows neither windows' arithmetic nor frames.
 */
import { type Http2Stream, SendWaiting } from './stream.ts';

/** An eighth of what leaves is what the less urgent get at the least. */
const leapEvery = 8;

export class SendScheduler {
  /** Index: urgency. */
  readonly #heads: (Http2Stream | null)[] = [null, null, null, null, null, null, null, null];
  /** Bit: urgency. Set: its ring has streams. */
  #urgencies = 0;
  /** Turns since the last leap. */
  #turns = 0;
  /** The urgency that the last leap went to. */
  #leaptTo = 0;
  /** Streams with queued bytes whose own window is shut. */
  stalledCount = 0;
  readyCount = 0;
  /** Streams whose head or trailers wait for room; null: none ever has. */
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

  /** The next ring after the one that was leapt to last. */
  #leap(urgencies: number): number {
    let urgency = this.#leaptTo;
    do urgency = (urgency + 1) & 7;
    while ((urgencies & (1 << urgency)) === 0);
    return urgency;
  }

  /** The stream, which was `first`, sends a frame. Afterwards it is `removed`, `stalled` or `rotated`. */
  take(stream: Http2Stream): void {
    if (this.#turns < leapEvery - 1) {
      this.#turns++;
    } else {
      this.#turns = 0;
      this.#leaptTo = stream.urgency;
    }
  }

  /** The stream has queued bytes and an open window: it joins unless it is in already. */
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
    // At the back, which in a ring is before the head; where the order of ids counts, before later ones of its kind.
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

  /** Head or trailers of some stream wait for room. */
  get holdsSections(): boolean {
    return this.#sections !== null && this.#sections.size > 0;
  }

  /** The stream whose head or trailers have waited longest. */
  get firstSection(): Http2Stream | null {
    if (this.#sections === null) return null;
    for (const stream of this.#sections) return stream;
    return null;
  }

  /** The stream has had its turn and wants another. */
  rotate(stream: Http2Stream): void {
    if (stream.takesTurns && this.#heads[stream.urgency] === stream) {
      this.#heads[stream.urgency] = stream.readyNext;
    }
  }

  /** The stream waits for nothing any more, or is gone. */
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

  /** The peer has said how urgent the stream is, and whether it is of use in pieces. */
  place(stream: Http2Stream, urgency: number, incremental: boolean): void {
    const wasReady = stream.waiting === SendWaiting.Turn;
    if (wasReady) this.remove(stream);
    stream.urgency = urgency;
    stream.incremental = incremental;
    stream.takesTurns = incremental;
    if (wasReady) this.ready(stream);
  }
}
