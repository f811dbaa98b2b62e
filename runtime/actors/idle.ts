/**
 * Instances without messages, and since when, until it is time to stop them.
 *
 * Most become idle while the reactor looks on, so they lie in the order of that and only the first ones are looked at. Of an instance that
 * was called over a direct channel the reactor hears afterwards how long it has been idle: those lie apart, as they would stand behind
 * instances that are idle for less long.
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
