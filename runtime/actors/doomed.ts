/**
 * Calls with the option `hard` that were given up. If such a call does not end within its grace, its thread is ended. There are never more
 * of them than the threads have slots.
 */
import type { ActorCall } from './mailbox.ts';

export class Doomed {
  /** When the grace is over. */
  readonly #dueMs = new Map<ActorCall, number>();
  readonly #due: (call: ActorCall) => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;

  /** @param now the clock that calls are added by */
  constructor(due: (call: ActorCall) => void, now: () => number) {
    this.#due = due;
    this.#now = now;
  }

  add(call: ActorCall, nowMs: number, graceMs: number): void {
    this.#dueMs.set(call, nowMs + graceMs);
    // One timer for all: whoever is due later is looked at by the owner's tick.
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.look(this.#now());
    }, graceMs).unref();
  }

  /** It is over. */
  delete(call: ActorCall): void {
    if (this.#dueMs.size > 0) this.#dueMs.delete(call);
  }

  look(nowMs: number): void {
    for (const [call, dueMs] of [...this.#dueMs]) {
      if (dueMs > nowMs) continue;
      this.#dueMs.delete(call);
      this.#due(call);
    }
  }

  clear(): void {
    this.#dueMs.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
