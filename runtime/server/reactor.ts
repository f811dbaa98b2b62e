/**
 * The reactor's turn: what sockets and threads have produced is moved in batches, so that a turn costs one publish and at
 * most one doorbell for each thread, and one write for each connection, however many exchanges it moves.
 *
 *   socket data ─▶ engines ─▶ rings (unpublished)            as it arrives
 *   turn:  publish ─▶ receive ─▶ write to sockets ─▶ publish     once per event-loop iteration while there is work
 *
 * The reactor does not poll for the answer to a single request, because the thread that computes it, or the client,
 * needs the processor more.
 *
 * A thread that computes for a long time holds back messages that it has sent for other exchanges. While anything is
 * open, the reactor therefore looks for such messages every `maintainEveryMs`.
 *
 * After several turns without a message the reactor announces on every ring that it sleeps. From then until the next
 * turn, a thread that has a message rings the doorbell.
 */
import type { Flushable, Turns } from '../connections/turns.ts';
import { RunningClock } from '../pools/running-clock.ts';
import type { JobRecord } from '../pools/tally.ts';
import type { Thread } from '../pools/thread.ts';
import type { Turns as PoolTurns } from '../pools/turns.ts';

/** The most messages taken from one thread in one turn, so that other threads and the sockets get their turn. */
const RECEIVE_LIMIT = 512;
/**
 * The most bytes: five pieces of 64 KiB. A connection sends them in one write from the processor's cache, and the
 * thread gets new credit before it has used up the old.
 */
const RECEIVE_LIMIT_BYTES = 327_680;
/** Turns that brought nothing before the reactor sleeps. A doorbell costs both sides more than a few polls do. */
const POLLS_BEFORE_SLEEP = 16;

export class Reactor implements Turns, PoolTurns {
  /** Monotonic time at the start of the turn, or of the socket's event: cheap, and fine to a turn's length. */
  nowMs = performance.now();
  readonly #running = new RunningClock(this.nowMs);
  /** Is notified of each job that a thread has ended; null if nothing needs that. */
  onJobEnded: ((job: JobRecord) => void) | null = null;
  readonly #threads: Thread[] = [];
  readonly #dirty: Flushable[] = [];
  #polls = 0;
  #state: 'awake' | 'asleep' = 'asleep';
  readonly #turn: () => void;
  /** Work to check periodically while any is open: jobs that threads have not begun, waiting queues. */
  readonly #maintain: () => void;
  maintainEveryMs: number;
  #maintainedMs = 0;
  #alarm: NodeJS.Timeout | null = null;

  constructor(maintainEveryMs: number, maintain: () => void) {
    this.#turn = () => this.#runTurn();
    this.maintainEveryMs = maintainEveryMs;
    this.#maintain = maintain;
  }

  /** No turn will come before a socket, a thread or a timer asks for one. */
  get isAsleep(): boolean {
    return this.#state === 'asleep';
  }

  addThread(thread: Thread): void {
    this.#threads.push(thread);
    this.request();
  }

  removeThread(thread: Thread): void {
    const index = this.#threads.indexOf(thread);
    if (index !== -1) this.#threads.splice(index, 1);
  }

  request(): void {
    this.#polls = 0;
    if (this.#state === 'awake') return;
    this.#state = 'awake';
    setImmediate(this.#turn);
  }

  /** Updates the clocks when a socket or a timer has fired, because time has passed since the last turn. */
  tick(): number {
    this.nowMs = performance.now();
    this.#running.look(this.nowMs);
    return this.nowMs;
  }

  /** Like `nowMs`, without the time in which the process was stopped. It begins at 0. */
  get runningMs(): number {
    return this.#running.nowMs;
  }

  /** The connection has output. */
  flushLater(connection: Flushable): void {
    if (connection.isDirty) return;
    connection.isDirty = true;
    this.#dirty.push(connection);
    this.request();
  }

  #runTurn(): void {
    this.nowMs = performance.now();
    this.#running.look(this.nowMs);
    const threads = this.#threads;
    for (let i = 0; i < threads.length; i++) (threads[i] as Thread).channel.publish();
    let received = 0;
    let expecting = false;
    const isDue = this.nowMs - this.#maintainedMs >= this.maintainEveryMs;
    /** True if more than one request and its answer are in flight. */
    let isBusy = false;
    // The loop runs from the end, because a thread whose channel proves corrupt is removed during it.
    for (let i = threads.length - 1; i >= 0; i--) {
      const thread = threads[i] as Thread | undefined;
      if (thread === undefined) continue;
      if (isDue && thread.jobs.head !== null) thread.channel.lookAhead();
      received += thread.receive(RECEIVE_LIMIT, RECEIVE_LIMIT_BYTES);
      const { head, size } = thread.jobs;
      if (head !== null) {
        if (expecting || size > 1 || !head.awaitsOnlyResponse) isBusy = true;
        expecting = true;
      }
    }
    const flushed = this.#dirty.length;
    if (flushed > 0) {
      // Flushing one connection may give others output (a reset stream returns its window's bytes), which leaves in the same turn.
      for (let i = 0; i < this.#dirty.length; i++) {
        const connection = this.#dirty[i] as Flushable;
        connection.isDirty = false;
        connection.flush();
      }
      this.#dirty.length = 0;
    }
    if (expecting && isDue) {
      this.#maintainedMs = this.nowMs;
      this.#maintain();
    }
    for (let i = 0; i < threads.length; i++) (threads[i] as Thread).channel.publish();

    this.#polls = received > 0 || flushed > 0 ? 0 : this.#polls + 1;
    if (received > 1) isBusy = true;
    const isOver = this.#polls > POLLS_BEFORE_SLEEP || (this.#polls > 0 && !expecting);
    // Responses to jobs that this check has refused are flushed in the next turn.
    const isClean = this.#dirty.length === 0;
    if (isClean && (isOver || !isBusy) && this.#sleep()) {
      if (expecting) this.#setAlarm();
      return;
    }
    setImmediate(this.#turn);
  }

  /** A computing thread does not ring, so the reactor checks again by itself. */
  #setAlarm(): void {
    if (this.#alarm !== null) return;
    this.#alarm = setTimeout(() => {
      this.#alarm = null;
      this.request();
    }, this.maintainEveryMs);
    // Sockets and threads keep the process alive; this timer must not.
    this.#alarm.unref();
  }

  /** False if a thread has published in the meantime. */
  #sleep(): boolean {
    const threads = this.#threads;
    for (let i = 0; i < threads.length; i++) {
      const channel = (threads[i] as Thread).channel;
      if (!channel.sleep() && channel.state === 'awake') return false;
    }
    this.#state = 'asleep';
    return true;
  }
}
