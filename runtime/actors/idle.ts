/**
 * Instances without messages, and since when, until it is time to stop them.
 *
 * The reactor sees most instances become idle. It keeps these in that order, so it has to look at the first ones only. Of an instance that
 * was called over a direct channel, the reactor learns later for how long it has been idle. Such instances are kept apart, because in the
 * first list they would stand behind instances that have been idle for a shorter time.
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
