/**
 * An exchange as the deadlines see it: the list of exchanges goes through the exchanges themselves, and what a tick asks one of them, and
 * has noted of it, is its watch. A watch is made at the first tick that sees its exchange: most are over before, so that being watched
 * allocates nothing.
 */
import type { Deadline } from './counters.ts';

export interface Watcher {
  /** The exchange is over. Idempotent. */
  forget(exchange: Watchable): void;
}

/** An exchange in the watcher's list. */
export interface Watchable {
  /** Null: nobody watches, or not any more. */
  watcher: Watcher | null;
  /** Links of the watcher's list. */
  previousWatched: Watchable | null;
  nextWatched: Watchable | null;
  /** Null: no tick has seen the exchange. */
  watch: Watch | null;
  createWatch(): Watch;
}

export abstract class Watch {
  // ---- what the ticks so far have shown of the exchange

  /** Since it was opened, in whole ticks. */
  ageMs = 0;
  /** How long the peer has owed us content since the last time that its rate was judged, and what had come by then. */
  requestAwaitedMs = 0;
  requestMarkBytes = 0;
  /** The same of its reading. -1: nothing has waited for it yet. */
  responseAwaitedMs = -1;
  responseMarkBytes = 0;

  // ---- what a tick asks

  /** Content of the request that has come. */
  abstract readonly receivedBytes: number;
  /** The least rate of the request's content; 0: any. */
  abstract readonly leastRequestBytesPerSecond: number;
  /** The application waits for content, and nothing of ours keeps the peer from sending it. */
  abstract readonly isWaitingForContent: boolean;
  /** Response bytes that the peer has taken; -1 while none wait for it. */
  abstract readonly takenBytes: number;
  /** Whether the exchange has to end some time; a tunnel has not. */
  abstract readonly hasEnd: boolean;
  /** The exchange is to end now. */
  abstract onDeadline(deadline: Deadline): void;
  /** An error of ours came out of `onDeadline`. */
  abstract onFault(error: unknown): void;
}
