/**
 * An exchange as the deadlines see it: what they ask it, and what they have noted of it. The list that it is in goes through the
 * exchange itself, and notes are made at the first tick that it sees: most are over before, so that watching one allocates nothing.
 */
import type { Deadline } from './counters.ts';

export interface Watcher {
  /** The exchange is over. Idempotent. */
  forget(exchange: Watched): void;
}

/** What the ticks so far have shown of one exchange. */
export class DeadlineNotes {
  /** Since it was opened, in whole ticks. */
  ageMs = 0;
  /** How long the peer has owed us content since the last time that its rate was judged, and what had come by then. */
  requestOwedMs = 0;
  requestMarkBytes = 0;
  /** The same of its reading. -1: nothing has waited for it yet. */
  responseOwedMs = -1;
  responseMarkBytes = 0;
}

export interface Watched {
  /** Null: nobody watches, or not any more. */
  watcher: Watcher | null;
  /** Links of the watcher's list. */
  previousWatched: Watched | null;
  nextWatched: Watched | null;
  /** The watcher's. */
  notes: DeadlineNotes | null;
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
