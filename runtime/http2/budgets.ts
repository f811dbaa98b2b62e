/**
 * Abuse budgets. Each drains with what a peer does and refills with time, so that neither a long-lived honest
 * connection nor a single burst counts as an attack. Much of what a budget counts is also part of honest
 * work, for example an update that acknowledges a frame. So honest work refills the budgets too: `earnings`
 * grants what honest peers need for it, however fast they are.
 *
 * The earnings are computed from the connection's counters when a budget is spent. So work costs nothing but
 * its counter. A budget is created when it is first spent, and most connections never need one.
 */
import type { EngineCounters } from './counters.ts';
import { FrameType } from './frames.ts';
import type { BudgetLimit, BudgetLimits, BudgetName } from './options.ts';

/**
 * What the connection's work has earned for each budget. docs/hardening.md lists what clients send in the
 * worst case, according to their sources and traces, and the margin that is left.
 */
const earnings: { readonly [K in BudgetName]: (work: EngineCounters) => number } = {
  // A proxy resets the requests that its clients give up: one in eight of its completed requests, on top of
  // the rate.
  peerResets: (work) => work.completed / 8,
  provokedResets: () => 0,
  refusedStreams: () => 0,
  refusedHeads: () => 0,
  // gRPC adapts its windows to the bandwidth that it measures while it receives content.
  settings: (work) => work.dataFramesOut / 64,
  // gRPC measures bandwidth with a PING per round trip while it receives content, and its own servers accept
  // as many PINGs as they send HEADERS and DATA. Go sends a PING with each canceled request to ask whether
  // the server still responds, and those requests may never be answered. How many may be canceled is a budget
  // of its own.
  pings: (work) => work.requests + work.dataFramesOut + work.framesOut[FrameType.Headers],
  // A greasing frame, or a PRIORITY_UPDATE with the request and another one later.
  ignoredFrames: (work) => 2 * work.requests,
  // After the end of a stream a client may still cancel it, or end its own side; but not after it has reset
  // the stream itself.
  lateFrames: (work) => 2 * (work.completed + work.resetsByOwner + work.resetsByEngine),
  emptyData: (work) => work.contentFramesIn,
  // HAProxy acknowledges the piece of a frame that its buffer has room for, then the rest, which may cut the next
  // frame in two. gRPC-core grants the prefix of a message when it opens a stream. Each does so on the stream and on
  // the connection. For one KiB a peer could send four times as many updates of `tinyWindowUpdateBytes`, which are not
  // counted at all.
  tinyWindowUpdates: (work) => 4 * work.dataKibibytesOut + 2 * work.requests,
  stalledStreamSeconds: () => 0,
};

export class Budget {
  readonly #limit: BudgetLimit;
  /** The most that earnings may add to the burst: what all streams can have earned and not yet needed. */
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
   * @returns false, and the budget is empty, if it does not hold that much
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
    // No open stream earns more than four units of any budget that it has not needed yet.
    this.#mostEarned = 4 * maxConcurrentStreams;
  }

  /** @returns false if the peer has exceeded the budget */
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

  /** Returns what was spent on something that turned out not to be abuse. */
  giveBack(name: BudgetName, amount: number): void {
    if (this.#budgets !== null) this.#budgets.get(name)?.giveBack(amount);
  }
}
