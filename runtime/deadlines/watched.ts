/**
 * An exchange as the deadlines see it: what they have noted of it, and what they ask it. All of it lies in the exchange
 * itself, so that watching one allocates nothing.
 */
import type { Deadline } from './counters.ts';

export interface Watcher {
  /** The exchange is over. Idempotent. */
  forget(exchange: Watched): void;
}

export interface Watched {
  /** Null: nobody watches, or not any more. */
  watcher: Watcher | null;
  /** Links of the watcher's list. */
  previousWatched: Watched | null;
  nextWatched: Watched | null;
  /** Since it was opened, in whole ticks. At first 0. */
  ageMs: number;
  /** How long the peer has owed us content since the last time that its rate was judged, and what had come by then. At first 0. */
  requestOwedMs: number;
  requestMarkBytes: number;
  /** The same of its reading. -1, as at first: nothing has waited for it yet. */
  responseOwedMs: number;
  responseMarkBytes: number;
  /** Content of the request that has come. */
  readonly receivedBytes: number;

  /** The least rate of the request's content; 0: any. */
  readonly leastRequestBytesPerSecond: number;
  /** The application waits for content, and nothing of ours keeps the peer from sending it. */
  readonly isOwedContent: boolean;
  /** Response bytes that the peer has taken; -1 while none wait for it. */
  readonly takenBytes: number;
  /** Whether the exchange has to end some time; a tunnel has not. */
  readonly hasEnd: boolean;
  /** It is to end now. */
  onDeadline(deadline: Deadline): void;
  /** An error of ours came out of `onDeadline`. */
  onFault(error: unknown): void;
}
