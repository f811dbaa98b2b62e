/**
 * Instances without messages, in the order in which they became idle, until they are stopped.
 *
 * The reactor sees most instances become idle, so it has to check only the first ones of that list. For an instance
 * that was called over a direct channel, the reactor learns later how long it has been idle. Such instances have a
 * list of their own, because in the first list they would wait behind instances that became idle later.
 */
export class Idle<Instance> {
  readonly #seen = new Map<Instance, number>();
  readonly #told = new Map<Instance, number>();

  /** @param idleMs how long it has been already */
  add(instance: Instance, nowMs: number, idleMs: number): void {
    (idleMs > 0 ? this.#told : this.#seen).set(instance, nowMs - idleMs);
  }

  delete(instance: Instance): void {
    if (!this.#seen.delete(instance)) this.#told.delete(instance);
  }

  /** Takes out those that have been idle since then, or for longer. */
  *takeSince(latestMs: number): Generator<Instance> {
    for (const [instance, sinceMs] of this.#told) {
      if (sinceMs > latestMs) continue;
      this.#told.delete(instance);
      yield instance;
    }
    for (const [instance, sinceMs] of this.#seen) {
      if (sinceMs > latestMs) return;
      this.#seen.delete(instance);
      yield instance;
    }
  }
}
