/**
 * The turns of an application thread, each of bounded work: when it takes records out of the ring, when it publishes what it has
 * written, and when it sleeps.
 *
 * A turn publishes what the last one produced, then takes up to `#batch` records. The batch adapts: it halves
 * when a turn, with the microtasks that followed it, took longer than `TURN_TARGET_MS` and doubles when it was short. So a
 * thread whose exchanges cost milliseconds claims them one by one, and what it has not begun stays recallable by
 * the reactor; a thread whose exchanges cost microseconds takes hundreds for one publish.
 *
 * A turn that found a single request ends in sleep, because the process that waits for the answer needs the processor
 * more than a polling thread does.
 *
 * A large batch assumes that the next exchanges are like the last. A turn that has begun `MOST_UNANSWERED` exchanges
 * without an answer therefore lets them run before it takes more, and a turn that takes long publishes its output and
 * ends. Later output is published at once, because the next exchange might compute and delay it.
 *
 * The application and its listeners run in the async contexts of their exchanges. The turn runs in the context that
 * the thread began with, whichever code schedules it, so no exchange sees a store that another has entered.
 */
import { AsyncResource } from 'node:async_hooks';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { elapsed, type Vitals } from '../../wire/vitals.ts';
import { CoreWait } from './core-wait.ts';

const TURN_TARGET_MS = 1;
/**
 * Once the next exchange begins, which may compute for any time, responses wait at most this long for the end
 * of their turn. A batch of exchanges that cost microseconds ends sooner, and publishing within it would ring
 * the reactor twice.
 */
const PUBLISH_AFTER_MS = 0.5;
const LARGEST_BATCH = 256;
/** An exchange that has kept the thread for longer than this may only have waited for a core. */
const SUSPICIOUS_US = 500;
/** The most exchanges that are begun before a pause: they then run one after the other, and no other thread can take them. */
const MOST_UNANSWERED = 8;
const RESOLVED = Promise.resolve();
/**
 * Rounds of microtasks that a paused turn grants before it lets ticks run as well; most exchanges need a few to
 * answer.
 */
const MOST_ROUNDS = 8;
/** Turns without a record before the thread sleeps. A few polls cost less than the doorbell that would wake the thread. */
const POLLS_BEFORE_SLEEP = 8;

/** The context before any of the application's code has run. */
const OUTERMOST = new AsyncResource('SLUICE_HOST');

export class Turns {
  readonly #channel: ThreadEnd;
  readonly #vitals: Vitals;
  readonly #payCredits: (all: boolean) => void;

  #batch = 1;
  #polls = 0;
  #scheduled = false;
  /** Turns without a record before the thread sleeps. */
  #pollsBeforeSleep = POLLS_BEFORE_SLEEP;
  /** Exchanges begun in this turn. */
  #begun = 0;
  #turnStartMs = 0;
  #publishedMs = 0;
  /** The slot of the exchange that was begun last, and since when; -1: the event loop has turned since. */
  #computingSlot = -1;
  #computingSinceUs = 0;
  readonly #coreWait = new CoreWait();
  #receivedLast = 0;
  /** How many messages the previous turn received. */
  #receivedBefore = 0;
  #isReceiving = false;
  /** Unanswered exchanges among those begun since the turn began or last paused. */
  #unanswered = 0;
  /** Counts turns and their pauses: an exchange knows in which it was begun. */
  #pauses = 0;
  #rounds = 0;
  readonly #turn: () => void;
  readonly #receive: () => void;
  readonly #goOn: () => void;
  readonly #noteNow: () => void;

  /** @param payCredits sends owed credit: only where it is much, or all of it before the thread sleeps */
  constructor(channel: ThreadEnd, vitals: Vitals, payCredits: (all: boolean) => void) {
    this.#channel = channel;
    this.#vitals = vitals;
    this.#payCredits = payCredits;
    this.#turn = () => this.#runTurn();
    this.#receive = () => this.#receiveSome(performance.now());
    this.#goOn = () => this.#goOnWhenAnswered();
    this.#noteNow = () => {
      if (this.#computingSlot === -1) return;
      const now = performance.now();
      this.#noteComputed(now, clockMicroseconds(now));
    };
  }

  close(): void {
    this.#coreWait.close();
  }

  /** True if a turn is scheduled. */
  get isScheduled(): boolean {
    return this.#scheduled;
  }

  schedule(): void {
    this.#polls = 0;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A callback of Node runs in the async context that asked for it, which may be that of an application.
    OUTERMOST.runInAsyncScope(setImmediate, undefined, this.#turn);
  }

  #runTurn(): void {
    const now = performance.now();
    // The time since the last turn began holds the microtasks of what it received: the applications' own work.
    if (this.#receivedLast > 0) {
      if (now - this.#turnStartMs > TURN_TARGET_MS) {
        this.#batch = Math.max(1, Math.min(this.#batch, this.#receivedLast) >> 1);
      } else if (this.#receivedLast >= this.#batch) this.#batch = Math.min(LARGEST_BATCH, this.#batch << 1);
    }
    this.#turnStartMs = now;
    const nowUs = clockMicroseconds(now);
    this.#vitals.beginTurn(nowUs);
    if (this.#computingSlot !== -1) this.#noteComputed(now, nowUs);
    this.#coreWait.mark(now);
    this.#payCredits(false);
    this.#channel.publish();
    this.#publishedMs = now;
    this.#receivedBefore = this.#receivedLast;
    this.#receivedLast = 0;
    this.#begun = 0;
    this.#receiveSome(now);
  }

  /** Records how long the exchange that was begun last has kept the thread. */
  #noteComputed(nowMs: number, nowUs: number): void {
    let us = elapsed(this.#computingSinceUs, nowUs);
    if (us > SUSPICIOUS_US) us = Math.max(0, us - this.#coreWait.sinceMark(nowMs));
    this.#vitals.computed(this.#computingSlot, us);
    this.#computingSlot = -1;
  }

  /**
   * The turn ends in sleep, and the next one comes only when there is a message. The exchange that was begun last
   * must not be measured until then. If it is unanswered it may continue in a microtask, and this microtask runs
   * after that one.
   */
  #noteBeforeSleep(): void {
    if (this.#unanswered === 0) this.#noteNow();
    else void RESOLVED.then(this.#noteNow);
  }

  #receiveSome(nowMs: number): void {
    this.#unanswered = 0;
    this.#pauses++;
    if (!this.#isLate(nowMs)) {
      this.#isReceiving = true;
      this.#receivedLast += this.#channel.receive(this.#batch - this.#receivedLast);
      this.#isReceiving = false;
    }
    if (this.#unanswered >= MOST_UNANSWERED && this.#receivedLast < this.#batch) {
      this.#rounds = 0;
      void RESOLVED.then(this.#goOn);
    } else {
      this.#endTurn();
    }
  }

  /** Resumes as soon as all begun exchanges are answered, and at the latest when they have run as far as they can. */
  #goOnWhenAnswered(): void {
    if (this.#unanswered === 0) this.#receive();
    else if (++this.#rounds < MOST_ROUNDS) void RESOLVED.then(this.#goOn);
    // Node runs ticks, then all microtasks, then ticks again, so this tick runs after both.
    else process.nextTick(this.#receive);
  }

  #endTurn(): void {
    if (this.#receivedLast > 0) {
      // A single message of another kind is a part of a body, and the next will follow.
      const isLone = this.#receivedLast === 1 && this.#begun === 1 && this.#receivedBefore <= 1;
      this.#pollsBeforeSleep = isLone ? 0 : POLLS_BEFORE_SLEEP;
      this.#polls = 0;
    } else {
      this.#polls++;
    }
    if (this.#polls > this.#pollsBeforeSleep || this.#pollsBeforeSleep === 0) {
      if (this.#computingSlot !== -1) this.#noteBeforeSleep();
      this.#payCredits(true);
      // A closed channel never sleeps and never brings anything again.
      if (this.#channel.sleep() || this.#channel.state !== 'awake') {
        this.#scheduled = false;
        if (this.#vitals.takeHeldBack()) this.#channel.wakePeer();
        return;
      }
      this.#polls = 0;
    }
    setImmediate(this.#turn);
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#turnStartMs > TURN_TARGET_MS;
  }

  // ---- exchanges

  /** The host calls this before the next exchange, when the code of earlier ones has run as far as it can for now. */
  reach(nowMs: number, nowUs: number): void {
    if (this.#computingSlot !== -1) this.#noteComputed(nowMs, nowUs);
    const isLate = this.#isLate(nowMs);
    if (isLate || nowMs - this.#publishedMs > PUBLISH_AFTER_MS) {
      this.#channel.publish();
      this.#publishedMs = nowMs;
    }
    if (isLate) this.#channel.leave();
  }

  /** The host calls this when an exchange begins. @returns a number to pass to `answered` */
  begin(slot: number, nowUs: number): number {
    this.#computingSlot = slot;
    this.#computingSinceUs = nowUs;
    this.#begun++;
    this.#unanswered++;
    return this.#pauses;
  }

  /** The host calls this when the exchange's code has run as far as it can for now. */
  begun(): void {
    if (this.#unanswered >= MOST_UNANSWERED) this.#channel.leave();
  }

  /** @param begunIn the number that `begin` returned for the exchange */
  answered(begunIn: number): void {
    if (begunIn === this.#pauses) this.#unanswered--;
  }

  /** Called after a message was sent. The next turn publishes it, or this call does if the turn has taken too long already. */
  said(): void {
    if (this.#isReceiving) return;
    if (this.#isLate(performance.now())) this.#channel.publish();
    this.schedule();
  }
}
