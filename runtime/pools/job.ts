/**
 * What a pool carries. A pool knows threads and slots; it does not know what a job is about.
 *
 * A job is `idle` until it is submitted, then `held` while too many like it are with the pool, `queued` in the pool or `assigned` to a
 * slot of one thread, and `released` once that thread has sent its FINAL message, or has died, or the job was taken back before it was begun.
 */
import { DEFAULT_URGENCY } from '../../wire/messages.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import type { Vitals } from '../../wire/vitals.ts';
import type { Lane } from './lane.ts';
import type { JobSpan } from './span.ts';

/** What a job needs of who runs it: a thread of a pool, or the server itself. */
export interface JobThread {
  readonly tally: { requestBytes: number; responseBytes: number };
  readonly channel: Pick<
    ReactorEnd,
    'maxDataRecordBytes' | 'sendData' | 'sendTrailers' | 'sendCredit' | 'sendReset' | 'sendPromised'
  >;
  /** What the thread says of when it began; absent: it is no thread. */
  readonly vitals?: Pick<Vitals, 'begunUs'>;
  /** Whether `adopt` would take a job now. */
  readonly canAdopt: boolean;
  adopt(job: Job): boolean;
  /** A send of this job met the ring full: it is called again when there is room. */
  waitForRoom(job: Job): void;
  /** A job has sent something outside of a turn: the next one publishes it. */
  requestTurn(): void;
}

/** What a job needs of a thread of a pool to be opened on it. */
export interface OpeningThread {
  readonly channel: Pick<ReactorEnd, 'sendOpen' | 'sendTrailers'>;
  waitForRoom(job: Job): void;
}

/** A thread that follows a job beyond its own part in it. */
export interface FollowingThread {
  readonly channel: Pick<ReactorEnd, 'sendTimes'>;
  requestTurn(): void;
}

/** Of a job, for people: names and short texts. */
export type Particulars = Readonly<Record<string, string>>;

/** Why a pool could not run a job. `no-thread`: there will be none before the job has waited for too long. */
export type Refusal = 'queue-full' | 'waited-too-long' | 'no-thread' | 'draining';

export abstract class Job {
  state: 'idle' | 'held' | 'queued' | 'assigned' | 'released' = 'idle';
  thread: JobThread | null = null;
  slot = -1;
  generation = 0;
  /** When the first part of it came, as `clockMicroseconds` in 32 bits with a sign; 0: all of it came at once. */
  arrivingUs = 0;
  admittedAtMs = 0;
  /** The same by the clock that counts no time in which the process was stopped. */
  waitingSinceMs = 0;
  assignedAtMs = 0;
  /** When its thread had said its last word; 0: it has not. */
  releasedAtMs = 0;
  /** The jobs that it is like; null: one that nobody dispatches. */
  lane: Lane | null = null;
  /** What its lane expected it to cost when its thread was given it. */
  costUs = 0;
  /** Its urgency when it began to wait; see `WaitingList`. */
  waitsAs = 0;
  /** Its thread had to be woken for it. */
  isWaking = false;
  /** Its thread counts it among those that it has not begun. */
  isUnbegun = false;
  /** Its thread has sent the head of a response that goes on. */
  hasResponded = false;
  /** Where its time goes, while a profile runs. */
  span: JobSpan | null = null;
  /** Links of the list that the job is in: a pool's queue, or a thread's jobs in the order of assignment. */
  previous: Job | null = null;
  next: Job | null = null;

  /** What it is, for people. */
  get label(): string {
    return '';
  }

  /** What the log says of it when its thread has died. */
  get particulars(): Particulars {
    return { what: this.label };
  }

  /** How long its code may keep a thread from its event loop; 0: for ever; null: as the pool says. */
  get computeTimeoutMs(): number | null {
    return null;
  }

  /** Whose it is; null: nobody's in particular. Of what waits, only jobs of one source change places. */
  get source(): object | null {
    return null;
  }

  /** From 0, the most urgent, to 7 (RFC 9218 section 4.1). */
  get urgency(): number {
    return DEFAULT_URGENCY;
  }

  /** Jobs with the same go to the same thread where they can; empty: to any. */
  get affinityKey(): string {
    return '';
  }

  /** Writes the message that opens this job on a thread; false when its ring is full. */
  abstract sendOpen(thread: OpeningThread, slot: number, generation: number): boolean;
  /** The thread's ring has room again, after a send of this job met it full. False when it is full again. */
  abstract onWritable(): boolean;
  /** Something is to be sent to the thread, and only room in its ring may be missing. */
  get isUnsent(): boolean {
    return false;
  }
  /** The thread has all of it, and nothing but its answer is to come. */
  get awaitsOnlyAnswer(): boolean {
    return false;
  }
  /** The job is the thread's no longer: FINAL came, and `thread` is null from now on. */
  abstract onReleased(): void;
  /** The thread has ended its part, and wants to hear when the job is over. */
  onFollowed(_thread: FollowingThread, _slot: number, _generation: number): void {
    // There is no more to it.
  }
  /** The thread died after it had begun this job. */
  abstract onLost(): void;
  /** @param noThreadForMs until there may be a thread; 0: there are threads */
  /** Its code keeps its thread from the event loop for longer than it may; the thread is going to be ended if that does not help. */
  onOverrun(): void {
    // It ends with the thread.
  }
  abstract onRefused(refusal: Refusal, noThreadForMs: number): void;
  /** An error of our own came out of one of these methods. Whatever shares state with the job is to end, and nothing else. */
  abstract onFault(error: unknown): void;

  abstract onHead(
    flags: number,
    status: number,
    fields: readonly string[],
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  abstract onInform(status: number, fields: string[]): void;
  abstract onData(flags: number, bytes: Uint8Array, start: number, end: number): void;
  abstract onTrailers(fields: string[]): void;
  abstract onCredit(granted: number, consumed: number): void;
  abstract onReset(code: number, reason: number): void;
  /** The thread is to end, and has been waited for long enough: whoever waits for the job waits no longer. */
  onExpired(): void {
    // Its thread's end ends it.
  }
  /** The thread wants another job of its own making, which goes with this one. */
  onPush(_number: number, _method: string, _path: string, _fields: string[]): void {
    // There is none: the thread hears no answer, and stops waiting when it ends this one.
  }
  /** What the thread sends is to be padded. */
  onPad(_toMultipleOf: number): void {
    // There is nothing to pad.
  }
}

/** A doubly linked list through the jobs themselves: no allocation to queue one, no search to remove one. */
export class JobList {
  head: Job | null = null;
  tail: Job | null = null;
  size = 0;

  push(job: Job): void {
    job.previous = this.tail;
    job.next = null;
    if (this.tail === null) this.head = job;
    else this.tail.next = job;
    this.tail = job;
    this.size++;
  }

  unshift(job: Job): void {
    job.next = this.head;
    job.previous = null;
    if (this.head === null) this.tail = job;
    else this.head.previous = job;
    this.head = job;
    this.size++;
  }

  remove(job: Job): void {
    if (job.previous === null) this.head = job.next;
    else job.previous.next = job.next;
    if (job.next === null) this.tail = job.previous;
    else job.next.previous = job.previous;
    job.previous = null;
    job.next = null;
    this.size--;
  }

  shift(): Job | null {
    const job = this.head;
    if (job !== null) this.remove(job);
    return job;
  }
}
