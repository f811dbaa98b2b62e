/**
 * An exchange as the deadlines see it. The list of exchanges runs through the exchanges themselves. The watch
 * of an exchange is what a tick asks it and has recorded about it. It is made at the first tick that sees the
 * exchange. Most exchanges are over before that, so watching them allocates nothing.
 */
import type { Deadline } from './counters.ts';

export interface Watcher {
  /** The exchange is over. Idempotent. */
  forget(exchange: Watchable): void;
}

/** An exchange in the watcher's list. */
export interface Watchable {
  /** Null: the exchange is not watched, or no longer. */
  watcher: Watcher | null;
  /** Links of the watcher's list. */
  previousWatched: Watchable | null;
  nextWatched: Watchable | null;
  /** Null: no tick has seen the exchange. */
  watch: Watch | null;
  createWatch(): Watch;
}

export abstract class Watch {
  // ---- what the ticks so far have shown about the exchange

  /** Time since the exchange was opened, in whole ticks. */
  ageMs = 0;
  /**
   * How long the application has waited for the peer's content since its rate was last checked, and how much
   * had arrived by then.
   */
  requestAwaitedMs = 0;
  requestMarkBytes = 0;
  /** The same for the peer's reading. -1: nothing has waited for it yet. */
  responseAwaitedMs = -1;
  responseMarkBytes = 0;

  // ---- what a tick asks

  /** Content bytes of the request that have arrived. */
  abstract readonly receivedBytes: number;
  /** The least rate of the request's content; 0: any. */
  abstract readonly leastRequestBytesPerSecond: number;
  /** The application waits for content, and nothing on the server's side keeps the peer from sending it. */
  abstract readonly isWaitingForContent: boolean;
  /** Response bytes that the peer has taken; -1 while none wait for it. */
  abstract readonly takenBytes: number;
  /** Whether the exchange must end some time; a tunnel need not. */
  abstract readonly hasEnd: boolean;
  /** The exchange must end now. */
  abstract onDeadline(deadline: Deadline): void;
  /** `onDeadline` threw an internal error. */
  abstract onFault(error: unknown): void;
}
