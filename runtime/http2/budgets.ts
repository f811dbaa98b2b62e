/**
 * Abuse budgets: each drains with what a peer does and refills with time, so a long-lived honest connection
 * never adds up to an attack and a burst is no crime. A budget exists only once it has been touched: most
 * connections never have one.
 */
import type { BudgetLimit, BudgetLimits } from './options.ts';

export type BudgetName = keyof BudgetLimits;

export class Budget {
  readonly #limit: BudgetLimit;
  #tokens: number;
  #atMs: number;

  constructor(limit: BudgetLimit, nowMs: number) {
    this.#limit = limit;
    this.#tokens = limit.burst;
    this.#atMs = nowMs;
  }

  /** @returns false when the budget does not hold that much. It is empty then. */
  spend(amount: number, nowMs: number): boolean {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs > 0) {
      this.#tokens = Math.min(this.#limit.burst, this.#tokens + (elapsedMs * this.#limit.perSecond) / 1000);
      this.#atMs = nowMs;
    }
    this.#tokens -= amount;
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
  #budgets: Map<BudgetName, Budget> | null = null;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** @returns false when the peer has gone too far. */
  spend(name: BudgetName, amount: number, nowMs: number): boolean {
    this.#budgets ??= new Map();
    let budget = this.#budgets.get(name);
    if (budget === undefined) {
      budget = new Budget(this.#limits[name], nowMs);
      this.#budgets.set(name, budget);
    }
    return budget.spend(amount, nowMs);
  }

  /** For work that shows good faith; nothing happens to a budget that is full. */
  giveBack(name: BudgetName, amount: number): void {
    if (this.#budgets !== null) this.#budgets.get(name)?.giveBack(amount);
  }
}
