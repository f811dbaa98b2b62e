/**
 * What a thread has done, counted by the reactor: plain numbers, which their owner reads when it needs them.
 */
import { Histogram } from './histogram.ts';

export class Tally {
  /** Jobs that the thread began and that are over. */
  ended = 0;
  /** Of these, the jobs that the thread's death cut off. */
  lost = 0;
  /** Content that has crossed to the thread, and from it. */
  requestBytes = 0;
  responseBytes = 0;
  /**
   * How often a job had something to send and no credit for it, and how long it waited. Counted when the job
   * is over.
   */
  creditStalls = 0;
  creditStalledUs = 0;
  /** From a job's admission until it was given to the thread that began it. */
  readonly queueWait = new Histogram();
  /** From then until the thread began it. */
  readonly claimWait = new Histogram();
  /** From then until the thread's last message about it. The precision is that of the reactor's turns. */
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
 * A job that is over, for timelines. Times are those of the reactor's `performance.now`. The times before the
 * thread began the job, and its end, have the precision of the reactor's turns.
 */
export interface JobRecord {
  readonly thread: string;
  readonly admittedMs: number;
  readonly assignedMs: number;
  readonly begunMs: number;
  readonly endedMs: number;
  /** How much of that time the job waited for credit. */
  readonly creditStalledMs: number;
}
