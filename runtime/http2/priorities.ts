/**
 * What the peer says of its streams' priorities (RFC 9218), by field and by PRIORITY_UPDATE, and its bounded memory for
 * streams that have not come yet.
 *
 * A peer that says nothing of a stream gets what is fair: a frame each in turn. One that speaks is taken at its word, the
 * default being that a response is of use only whole (RFC 9218 section 4.2).
 */
import {
  isIncremental,
  type Priority,
  parsePriority,
  saysIncremental,
  saysUrgency,
  urgencyOf,
} from './priority.ts';
import type { SendScheduler } from './scheduler.ts';
import type { Http2Stream } from './stream.ts';

export class Priorities {
  readonly #scheduler: SendScheduler;
  readonly #maxWaiting: number;
  /** The field that was parsed last: most requests of a connection say the same of themselves, or a few things in turns. */
  #lastValue: string | null = null;
  #lastPriority: Priority = 0;
  /** Of idle streams. */
  #waiting: Map<number, Priority> | null = null;

  /** @param maxWaiting how many idle streams are remembered: no more could be opened. */
  constructor(scheduler: SendScheduler, maxWaiting: number) {
    this.#scheduler = scheduler;
    this.#maxWaiting = maxWaiting;
  }

  /** @param value of the `priority` field; null: there was none. PRIORITY_UPDATE counts for more (section 7). */
  opened(stream: Http2Stream, value: string | null): void {
    const waiting = this.#waiting?.get(stream.id);
    if (waiting !== undefined) {
      this.#waiting?.delete(stream.id);
      this.#set(stream, waiting);
    } else if (value !== null) {
      if (value !== this.#lastValue) {
        this.#lastPriority = parsePriority(value);
        this.#lastValue = value;
      }
      this.#set(stream, this.#lastPriority);
    }
  }

  /** PRIORITY_UPDATE of a stream that is open. */
  update(stream: Http2Stream, value: string): void {
    this.#set(stream, parsePriority(value));
  }

  /** The `priority` field of a response. */
  respond(stream: Http2Stream, value: string): void {
    const own = parsePriority(value);
    const urgency = saysUrgency(value) ? urgencyOf(own) : stream.urgency;
    const incremental = saysIncremental(value) ? isIncremental(own) : stream.incremental;
    this.#scheduler.place(stream, urgency, incremental);
  }

  /** PRIORITY_UPDATE of a stream that may still come. @param lastPeerId streams up to it will not. */
  remember(id: number, value: string, lastPeerId: number): void {
    this.#waiting ??= new Map();
    if (this.#waiting.size >= this.#maxWaiting && !this.#waiting.has(id)) {
      for (const old of this.#waiting.keys()) if (old <= lastPeerId) this.#waiting.delete(old);
      if (this.#waiting.size >= this.#maxWaiting) return;
    }
    this.#waiting.set(id, parsePriority(value));
  }

  get rememberedCount(): number {
    return this.#waiting?.size ?? 0;
  }

  #set(stream: Http2Stream, priority: Priority): void {
    this.#scheduler.place(stream, urgencyOf(priority), isIncremental(priority));
  }
}
