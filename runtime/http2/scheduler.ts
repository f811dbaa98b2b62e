/**
 * Whose turn it is to send. Streams with queued bytes and an open window of their own form a ring, linked
 * through the streams themselves; each turn is one frame, then the stream goes to the back. So a stream with
 * a gigabyte queued and one with a kilobyte get the same share, and nothing is ever searched or shifted.
 *
 * Knows neither windows' arithmetic nor frames.
 */
import { type Http2Stream, SendWaiting } from './stream.ts';

export class SendScheduler {
  #head: Http2Stream | null = null;
  /** Streams with queued bytes whose own window is shut. */
  stalledCount = 0;
  readyCount = 0;

  /** The stream whose turn it is. */
  get first(): Http2Stream | null {
    return this.#head;
  }

  /** The stream has queued bytes and an open window: it joins at the back unless it is in already. */
  ready(stream: Http2Stream): void {
    if (stream.waiting === SendWaiting.Turn) return;
    this.remove(stream);
    stream.waiting = SendWaiting.Turn;
    this.readyCount++;
    const head = this.#head;
    if (head === null) {
      stream.readyNext = stream;
      stream.readyPrevious = stream;
      this.#head = stream;
      return;
    }
    const last = head.readyPrevious as Http2Stream;
    stream.readyNext = head;
    stream.readyPrevious = last;
    last.readyNext = stream;
    head.readyPrevious = stream;
  }

  /** The stream has queued bytes and a shut window. */
  stall(stream: Http2Stream): void {
    if (stream.waiting === SendWaiting.Window) return;
    this.remove(stream);
    stream.waiting = SendWaiting.Window;
    this.stalledCount++;
  }

  /** The first stream has had its turn and wants another. */
  rotate(): void {
    if (this.#head !== null) this.#head = this.#head.readyNext;
  }

  /** The stream has nothing queued any more, or is gone. */
  remove(stream: Http2Stream): void {
    if (stream.waiting === SendWaiting.Window) {
      this.stalledCount--;
    } else if (stream.waiting === SendWaiting.Turn) {
      this.readyCount--;
      const next = stream.readyNext as Http2Stream;
      if (next === stream) {
        this.#head = null;
      } else {
        const previous = stream.readyPrevious as Http2Stream;
        previous.readyNext = next;
        next.readyPrevious = previous;
        if (this.#head === stream) this.#head = next;
      }
      stream.readyNext = null;
      stream.readyPrevious = null;
    }
    stream.waiting = SendWaiting.Nothing;
  }
}
