/**
 * An exchange as the deadlines see it: what they have noted of it, and what they ask it. All of it lies in the exchange
 * itself, so that watching one allocates nothing.
 */
import { Job } from '../pools/job.ts';
import type { Deadline } from './counters.ts';
import type { Deadlines } from './deadlines.ts';

export abstract class Watched extends Job {
  /** Null: nobody watches, or not any more. */
  watcher: Deadlines | null = null;
  /** Links of the watcher's list. */
  previousWatched: Watched | null = null;
  nextWatched: Watched | null = null;
  /** Since it was opened, in whole ticks. */
  ageMs = 0;
  /** How long the peer has owed us content since the last time that its rate was judged, and what had come by then. */
  requestOwedMs = 0;
  requestMarkBytes = 0;
  /** The same of its reading. -1: nothing has waited for it yet. */
  responseOwedMs = -1;
  responseMarkBytes = 0;
  /** Content of the request that has come. */
  receivedBytes = 0;

  /** The least rate of the request's content; 0: any. */
  abstract get leastRequestBytesPerSecond(): number;
  /** The application waits for content, and nothing of ours keeps the peer from sending it. */
  abstract get isOwedContent(): boolean;
  /** Response bytes that the peer has taken; -1 while none wait for it. */
  abstract get takenBytes(): number;
  /** Whether the exchange has to end some time; a tunnel has not. */
  abstract get hasEnd(): boolean;
  /** It is to end now. */
  abstract onDeadline(deadline: Deadline): void;
}
