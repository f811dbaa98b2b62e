/**
 * What the peer says about its streams' priorities (RFC 9218), in the field and in PRIORITY_UPDATE, with a
 * bounded memory for streams that are not open yet.
 *
 * If a peer says nothing about a stream, the streams take fair turns of one frame each. If it does, its word
 * counts; the default then is that a response is only useful as a whole (RFC 9218 section 4.2).
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
  /** The last parsed field. Most requests of a connection have the same value, or a few values in turn. */
  #lastValue: string | null = null;
  #lastPriority: Priority = 0;
  /** Priorities of idle streams. */
  #waiting: Map<number, Priority> | null = null;

  /** @param maxWaiting how many idle streams are remembered: more could not be opened */
  constructor(scheduler: SendScheduler, maxWaiting: number) {
    this.#scheduler = scheduler;
    this.#maxWaiting = maxWaiting;
  }

  /** @param value of the `priority` field; null: absent. A PRIORITY_UPDATE takes precedence (section 7). */
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

  /** PRIORITY_UPDATE for an open stream. */
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

  /**
   * PRIORITY_UPDATE for a stream that may still be opened.
   * @param lastPeerId streams up to this id can no longer be opened
   */
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
