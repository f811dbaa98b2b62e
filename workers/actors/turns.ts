/**
 * The turns of a thread's channels for actors.
 *
 * A turn publishes, begins calls that may begin, receives, and publishes again. If the thread slept, the turn runs in the doorbell's
 * handler. A thread that received a single message does not poll, because polling would take the processor from the thread that waits for
 * the reply: it sleeps again, after a look of some microseconds where that pays (spin.ts). Messages that are sent outside of a turn are
 * published after the current microtasks, together with theirs.
 */

import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { clockMilliseconds } from '../../wire/clock.ts';
import type { ChannelEnd } from '../../wire/end.ts';
import type { Spin } from './spin.ts';

const RECEIVE_LIMIT = 256;
const POLLS_BEFORE_SLEEP = 8;
/** With at most this many open calls the thread waits for a reply. With more, some replies arrive while it handles others. */
const FEW_CALLS = 2;
/** A turn that has lasted this long publishes its output before it begins anything else. */
const TURN_TARGET_MS = 1;

/** The async context from before any application code has run. */
export const OUTERMOST: AsyncResource = new AsyncResource('SLUICE_ACTORS');

/** Counts the calls of the thread and begins those that wait. */
export interface TurnsOwner {
  /** Calls that the thread has made and that have not settled. */
  readonly openCalls: number;
  /** The number of methods that run in the thread, and of those that have ended since its start. */
  readonly running: number;
  readonly ended: number;
  /** True if waiting calls may begin. */
  readonly hasReady: boolean;
  advanceReady(): void;
}

export class Turns {
  /** The thread's ends of its channels. The channel to the reactor is the first one. */
  readonly #ends: readonly ChannelEnd[];
  readonly #owner: TurnsOwner;
  readonly #spin: Spin | null;
  readonly #nowMs: () => number;
  #polls = 0;
  /** 0: the last message came alone. */
  #pollsBeforeSleep = POLLS_BEFORE_SLEEP;
  #isScheduled = false;
  /** If true, the thread takes no turns, like one that computes. For tests. */
  #isHeld = false;
  #isReceiving = false;
  #willPublish = false;
  #startMs = 0;
  /** When the last turn began, by `clockMilliseconds`. */
  clockMs: number = clockMilliseconds();
  /** When something was first begun since the last turn; 0: nothing was. */
  #betweenSinceMs = 0;
  /** How many methods had ended when the thread last slept. */
  #endedBefore = 0;
  /** Since when turns have followed each other without a turn of the event loop; 0: it has turned. */
  #withinLoopSinceMs = 0;
  readonly #turn = (): void => this.#runTurn();
  readonly #turnAtOnce = (): void => this.#takeTurns();
  readonly #publishLater = (): void => this.#publishSaid();

  /** @param ends may change while it runs, from the end on. @param spin null: the thread sleeps at once */
  constructor(
    ends: readonly ChannelEnd[],
    owner: TurnsOwner,
    spin: Spin | null,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#ends = ends;
    this.#owner = owner;
    this.#spin = spin;
    this.#nowMs = nowMs;
  }

  /** Called after something was sent. */
  said(): void {
    if (this.#isReceiving || this.#willPublish) return;
    this.#willPublish = true;
    process.nextTick(this.#publishLater);
  }

  request(): void {
    this.#polls = 0;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Node runs a callback in the async context that requested it, which here may be an application's.
    OUTERMOST.runInAsyncScope(setImmediate, undefined, this.#turn);
  }

  /** Called by a doorbell: the turn runs in its handler. */
  wake(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#runTurn();
  }

  /**
   * Tells whether this turn, or the work between turns, has lasted long enough. If so, output is published now, and the next turn begins the
   * rest, so that new messages and the thread's other work are handled in between.
   */
  isLateAt(nowMs: number): boolean {
    if (!this.#isReceiving && this.#betweenSinceMs === 0) this.#betweenSinceMs = nowMs;
    const since = this.#isReceiving ? this.#startMs : this.#betweenSinceMs;
    if (nowMs - since <= TURN_TARGET_MS) return false;
    for (const end of this.#ends) {
      end.publish();
      end.leave();
    }
    return true;
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.request();
  }

  /** Takes no turn until something asks for one. @param asleep an end that may be awake */
  isIdleBut(asleep: ChannelEnd): boolean {
    return (
      !this.#isScheduled && !this.#willPublish && this.#ends.every((end) => end === asleep || end.isAsleep)
    );
  }

  #publishSaid(): void {
    this.#willPublish = false;
    this.publish();
    // Calls and topics wait separately for room in the same ring, so one of them may have found room while the other still waits.
    for (const end of this.#ends) if (end.needsTurn) this.request();
    if (this.#spin === null || this.#isScheduled || this.#pollsBeforeSleep > 0) return;
    const { openCalls } = this.#owner;
    if (openCalls > FEW_CALLS) return;
    if (openCalls > 0 || this.#hasReplied) this.#lookBetweenTurns(this.#spin);
  }

  publish(): void {
    for (const end of this.#ends) end.publish();
  }

  #runTurn(): void {
    this.#withinLoopSinceMs = 0;
    this.#takeTurns();
  }

  #takeTurns(): void {
    if (this.#isHeld) {
      this.#isScheduled = false;
      return;
    }
    let received = this.#takeTurn();
    const sinceMs = this.#startMs;
    while (this.#spin !== null && this.#isToLook(this.#spin, received)) {
      if (this.#nowMs() - sinceMs > TURN_TARGET_MS) {
        // The next turn follows after timers and sockets.
        this.#polls = 0;
        setImmediate(this.#turn);
        return;
      }
      if (!this.#spin.findsNews(this.#ends)) {
        this.#polls = POLLS_BEFORE_SLEEP;
        break;
      }
      received = this.#takeTurn();
    }
    if (this.#polls >= this.#pollsBeforeSleep && !this.#owner.hasReady) {
      if (this.#sleep()) {
        this.#isScheduled = false;
        return;
      }
      this.#polls = 0;
    }
    setImmediate(this.#turn);
  }

  /** @returns how many messages it has received */
  #takeTurn(): number {
    this.#startMs = this.#nowMs();
    this.clockMs = clockMilliseconds();
    this.#betweenSinceMs = 0;
    const ends = this.#ends;
    this.publish();
    this.#isReceiving = true;
    let received = 0;
    try {
      this.#owner.advanceReady();
      // Backwards, because a severed channel is removed during the loop. The reactor's channel is the first and never removed.
      for (let i = ends.length - 1; i >= 0; i--) received += ends[i]?.receive(RECEIVE_LIMIT) ?? 0;
    } finally {
      this.#isReceiving = false;
    }
    this.publish();
    if (received > 0) {
      const isAlone = received === 1 && this.#owner.openCalls <= FEW_CALLS;
      this.#pollsBeforeSleep = isAlone ? 0 : POLLS_BEFORE_SLEEP;
      this.#polls = 0;
    } else {
      this.#polls++;
    }
    return received;
  }

  /** @returns false if a message has arrived meanwhile */
  #sleep(): boolean {
    for (const end of this.#ends) if (!end.sleep() && end.state === 'awake') return false;
    this.#endedBefore = this.#owner.ended;
    return true;
  }

  // ---- looking for a message instead of sleeping

  /** True if methods have ended since the thread last slept, and none runs: their caller may make its next call at once. */
  get #hasReplied(): boolean {
    const { ended, running } = this.#owner;
    return ended !== this.#endedBefore && running === 0;
  }

  /**
   * True after a turn without messages if one is expected, and after a single call that has ended. The code that continues after a single
   * reply runs after the turn, in a microtask.
   */
  #isToLook(spin: Spin, received: number): boolean {
    if (received > 1 || this.#owner.hasReady) return false;
    if (received === 1) return this.#pollsBeforeSleep === 0 && this.#hasReplied && spin.isDue();
    return this.#polls === 1 && (this.#owner.openCalls > 0 || this.#hasReplied) && spin.isDue();
  }

  /** Called while the thread sleeps, has sent something, and expects a message in response. */
  #lookBetweenTurns(spin: Spin): void {
    if (!spin.isDue()) return;
    const nowMs = this.#nowMs();
    if (this.#withinLoopSinceMs === 0) this.#withinLoopSinceMs = nowMs;
    if (nowMs - this.#withinLoopSinceMs > TURN_TARGET_MS) {
      // Otherwise timers and sockets would wait as long as calls follow each other.
      this.request();
      return;
    }
    for (const end of this.#ends) end.stayAwake();
    if (!spin.findsNews(this.#ends) && this.#sleep()) return;
    this.#isScheduled = true;
    // The sender of a message requested this, in an async context of the application.
    OUTERMOST.runInAsyncScope(this.#turnAtOnce);
  }
}
