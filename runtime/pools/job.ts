/**
 * The unit of work of a pool. A pool knows threads and slots; it does not know what a job contains.
 *
 * A job is `idle` until it is submitted. Then it is `held` while too many jobs of its lane are with the pool,
 * `queued` in the pool, or `assigned` to a slot of one thread. It is `released` once that thread has sent the
 * FINAL message or has died, or once the job was taken back before a thread had begun it.
 */
import { DEFAULT_URGENCY } from '../../wire/messages.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import type { Vitals } from '../../wire/vitals.ts';
import type { Lane } from './lane.ts';
import type { JobSpan } from './span.ts';

/** What a job needs from the party that runs it: a thread of a pool, or the server itself. */
export interface JobThread {
  readonly tally: { requestBytes: number; responseBytes: number };
  readonly channel: Pick<
    ReactorEnd,
    'maxDataRecordBytes' | 'sendData' | 'sendTrailers' | 'sendCredit' | 'sendReset' | 'sendPromised'
  >;
  /** Absent: the server itself runs the job. */
  readonly vitals?: Pick<Vitals, 'begunUs'>;
  /** Whether `adopt` would take a job now. */
  readonly canAdopt: boolean;
  adopt(job: Job): boolean;
  /** Called when a send of this job found the ring full. `sendPending` is called when the ring has room. */
  waitForRoom(job: Job): void;
  /** A job has sent something outside of a turn: the next turn publishes it. */
  requestTurn(): void;
}

/** What a job needs from a thread of a pool to be opened there. */
export interface OpeningThread {
  readonly channel: Pick<ReactorEnd, 'sendOpen' | 'sendTrailers'>;
  waitForRoom(job: Job): void;
}

/** A thread that has ended its own part of a job, and wants to know when the job is over. */
export interface FollowingThread {
  readonly channel: Pick<ReactorEnd, 'sendTimes'>;
  requestTurn(): void;
}

/** What logs say about a job: names and short texts. */
export type Particulars = Readonly<Record<string, string>>;

/**
 * Why a pool could not run a job. `no-thread`: there will be no thread before the job has waited for too
 * long.
 */
export type Refusal = 'queue-full' | 'waited-too-long' | 'no-thread' | 'draining';

export abstract class Job {
  state: 'idle' | 'held' | 'queued' | 'assigned' | 'released' = 'idle';
  thread: JobThread | null = null;
  slot = -1;
  generation = 0;
  /**
   * When the first part of the job arrived, as `clockMicroseconds` in 32 bits with a sign; 0: it arrived in
   * one piece.
   */
  arrivingUs = 0;
  admittedAtMs = 0;
  /** Like `admittedAtMs`, on the clock that does not count time in which the process was stopped. */
  waitingSinceMs = 0;
  assignedAtMs = 0;
  /** When its thread sent the FINAL message; 0: not yet. */
  releasedAtMs = 0;
  /** The lane of its route; null: no dispatcher has the job. */
  lane: Lane | null = null;
  /** The cost that its lane expected when the job was given to a thread. */
  costUs = 0;
  /** Its urgency when it began to wait; see `WaitingList`. */
  waitsAs = 0;
  /** Whether its thread had to be woken for it. */
  isWaking = false;
  /** Whether its thread's `Backlog` counts it among the unbegun jobs. */
  isUnbegun = false;
  /** Whether its thread has sent the head of a response that continues. */
  hasResponded = false;
  /** Records where its time goes; null: no profile follows the job. */
  span: JobSpan | null = null;
  /**
   * Links of the list that the job is in: a pool's queue, or the jobs of a thread in the order of assignment.
   */
  previous: Job | null = null;
  next: Job | null = null;

  /** The name of the job for people. */
  get label(): string {
    return '';
  }

  /** What the log says about the job when its thread has died. */
  get particulars(): Particulars {
    return { what: this.label };
  }

  /** How long its code may keep a thread from its event loop; 0: for ever; null: the pool's limit. */
  get computeTimeoutMs(): number | null {
    return null;
  }

  /** The job's connection; null: none. Only waiting jobs of the same source change places. */
  get source(): object | null {
    return null;
  }

  /** From 0, the most urgent, to 7 (RFC 9218 section 4.1). */
  get urgency(): number {
    return DEFAULT_URGENCY;
  }

  /** Jobs with the same key go to the same thread if it can begin them soon; empty: to any thread. */
  get affinityKey(): string {
    return '';
  }

  /** Writes the message that opens this job on a thread. @returns false: the ring is full */
  abstract sendOpen(thread: OpeningThread, slot: number, generation: number): boolean;
  /**
   * Sends what waits for room in the ring or for credit.
   * @returns false if the ring is full; the thread calls again
   */
  abstract sendPending(): boolean;
  /** True if something waits to be sent to the thread and lacks nothing but, possibly, room in the ring. */
  get isUnsent(): boolean {
    return false;
  }
  /** True if the thread has the whole job, and only its response is missing. */
  get awaitsOnlyResponse(): boolean {
    return false;
  }
  /** The thread has ended the job, or has died after it had begun it. `thread` no longer names it. */
  abstract onReleased(): void;
  /** The thread has ended its part of the job, and wants to know when the job is over. */
  onFollowed(_thread: FollowingThread, _slot: number, _generation: number): void {
    // A job without a peer is over with its thread's part.
  }
  /**
   * Called when its code has kept its thread from the event loop for longer than allowed. If that continues,
   * the thread is ended.
   */
  onOverrun(): void {
    // The job ends with the thread.
  }
  /** @param noThreadForMs until there may be a thread; 0: there are threads */
  abstract onRefused(refusal: Refusal, noThreadForMs: number): void;
  /**
   * Called when one of these methods threw because of an internal error. The job and everything that shares
   * state with it end, and nothing else.
   */
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
  /**
   * Called when the thread will be ended because the server has waited long enough. The peer of the job gets
   * a response or a reset.
   */
  onExpired(): void {
    // The job ends with the thread.
  }
  /** The thread asks for a new job that belongs to this one. */
  onPush(_number: number, _method: string, _path: string, _fields: string[]): void {
    // A job without a peer has no pushes. The thread gets no reply, and stops waiting when it ends this job.
  }
  /** The thread asks for padding of what it sends. */
  onPad(_toMultipleOf: number): void {
    // A job without a peer has nothing to pad.
  }
}

/**
 * A doubly linked list through the jobs themselves, so adding a job needs no allocation, and removing one
 * needs no search.
 */
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
