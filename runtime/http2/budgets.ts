/**
 * Abuse budgets: each drains with what a peer does and refills with time, so a long-lived honest connection
 * never adds up to an attack and a burst is no crime. Much of what a budget counts is also a part of honest work:
 * an update that acknowledges a frame, say. So honest work earns, in `earnings`, what honest peers need for it,
 * however fast they are.
 *
 * Earnings are read off the connection's counters when a budget is spent. So work costs nothing but its counter, and
 * a budget exists only once it has been touched: most connections never have one.
 */
import type { EngineCounters } from './counters.ts';
import { FrameType } from './frames.ts';
import type { BudgetLimit, BudgetLimits, BudgetName } from './options.ts';

/**
 * What the connection's work so far has earned of each budget. What clients send at worst, from their sources and
 * traces, stands in docs/hardening.md with the room that is left.
 */
const earnings: { readonly [K in BudgetName]: (work: EngineCounters) => number } = {
  // A proxy resets what its clients give up: one in eight of what it has had answered, and the rate.
  peerResets: (work) => work.completed / 8,
  provokedResets: () => 0,
  refusedStreams: () => 0,
  refusedHeads: () => 0,
  // gRPC adapts its windows to the bandwidth that it measures while it is sent content.
  settings: (work) => work.dataFramesOut / 64,
  // gRPC measures bandwidth with a PING per round trip while it is sent content, and its own servers pass over as many as
  // they send HEADERS and DATA. Go asks with one per canceled request whether the server still answers, and of those requests
  // none may ever be answered; how many may be canceled is a budget of its own.
  pings: (work) => work.requests + work.dataFramesOut + work.framesOut[FrameType.Headers],
  // A frame that greases, or a PRIORITY_UPDATE with the request and one later.
  ignoredFrames: (work) => 2 * work.requests,
  // After the end a client may still cancel, or end its own side; not when it has reset the stream itself.
  lateFrames: (work) => 2 * (work.completed + work.resetsByOwner + work.resetsByEngine),
  emptyData: (work) => work.contentFramesIn,
  // HAProxy acknowledges the piece of a frame that its buffer has room for, and the rest, which may cut the next frame
  // in two; gRPC-core grants the prefix of a message when it opens a stream. Each on the stream and on the connection.
  // Four a KiB are a quarter of what updates of `tinyWindowUpdateBytes`, which nobody counts, could be.
  tinyWindowUpdates: (work) => 4 * work.dataKibibytesOut + 2 * work.requests,
  stalledStreamSeconds: () => 0,
};

export class Budget {
  readonly #limit: BudgetLimit;
  /** What earnings may add to the burst: what can have been earned on all streams and not been needed yet. */
  readonly #mostEarned: number;
  #tokens: number;
  #earned = 0;
  #earnedBefore = 0;
  #atMs: number;

  constructor(limit: BudgetLimit, mostEarned: number, nowMs: number) {
    this.#limit = limit;
    this.#mostEarned = mostEarned;
    this.#tokens = limit.burst;
    this.#atMs = nowMs;
  }

  /**
   * @param earnedInAll what the connection's work has earned since its beginning
   * @returns false when the budget does not hold that much. It is empty then.
   */
  spend(amount: number, nowMs: number, earnedInAll = 0): boolean {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs > 0) {
      this.#tokens = Math.min(this.#limit.burst, this.#tokens + (elapsedMs * this.#limit.perSecond) / 1000);
      this.#atMs = nowMs;
    }
    this.#earned = Math.min(this.#mostEarned, this.#earned + earnedInAll - this.#earnedBefore);
    this.#earnedBefore = earnedInAll;
    const rest = amount - this.#earned;
    this.#earned = Math.max(0, -rest);
    if (rest <= 0) return true;
    this.#tokens -= rest;
    if (this.#tokens >= 0) return true;
    this.#tokens = 0;
    return false;
  }

  giveBack(amount: number): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + amount);
  }
}

export class AbuseBudgets {
  readonly #limits: BudgetLimits;
  readonly #work: EngineCounters;
  readonly #mostEarned: number;
  #budgets: Map<BudgetName, Budget> | null = null;

  /** @param work what the connection has done, kept up to date by its owner */
  constructor(limits: BudgetLimits, work: EngineCounters, maxConcurrentStreams: number) {
    this.#limits = limits;
    this.#work = work;
    // Of no budget does a stream that is open earn more than it needs four of.
    this.#mostEarned = 4 * maxConcurrentStreams;
  }

  /** @returns false when the peer has gone too far. */
  spend(name: BudgetName, amount: number, nowMs: number): boolean {
    this.#budgets ??= new Map();
    let budget = this.#budgets.get(name);
    if (budget === undefined) {
      const limit = this.#limits[name];
      budget = new Budget(limit, Math.max(limit.burst, this.#mostEarned), nowMs);
      this.#budgets.set(name, budget);
    }
    return budget.spend(amount, nowMs, earnings[name](this.#work));
  }

  /** What has been spent and turned out not to be abuse. */
  giveBack(name: BudgetName, amount: number): void {
    if (this.#budgets !== null) this.#budgets.get(name)?.giveBack(amount);
  }
}
