/** What a thread has done, as the reactor counts it: plain numbers, which their owner reads when it likes. */
import { Histogram } from './histogram.ts';

export class Tally {
  /** Jobs that the thread began and that are over. */
  ended = 0;
  /** Of these, those that its death cut off. */
  lost = 0;
  /** Content that has crossed to the thread, and from it. */
  requestBytes = 0;
  responseBytes = 0;
  /** How often a job had something to send and no credit for it, and how long it waited, in jobs that are over. */
  creditStalls = 0;
  creditStalledUs = 0;
  /** From its admission until the job was given to the thread that began it. */
  readonly queueWait = new Histogram();
  /** From there until the thread began it. */
  readonly claimWait = new Histogram();
  /** From there until its last message; to about a turn of the reactor. */
  readonly service = new Histogram();

  add(other: Tally): void {
    this.ended += other.ended;
    this.lost += other.lost;
    this.requestBytes += other.requestBytes;
    this.responseBytes += other.responseBytes;
    this.creditStalls += other.creditStalls;
    this.creditStalledUs += other.creditStalledUs;
    this.queueWait.add(other.queueWait);
    this.claimWait.add(other.claimWait);
    this.service.add(other.service);
  }
}

/**
 * A job that is over, for whoever draws what happened when. Times are the reactor's `performance.now`; of what came before the thread
 * began it, and of its end, to about a turn.
 */
export interface JobRecord {
  readonly thread: string;
  readonly admittedMs: number;
  readonly assignedMs: number;
  readonly begunMs: number;
  readonly endedMs: number;
  /** Of the time in between, what it waited for credit. */
  readonly creditStalledMs: number;
}
