/**
 * The threads that a pool starts with. An application may fail a moment after it has loaded. So until they
 * have lived for `minUptimeMs`, the death of one that has ended no job is a failure of the pool's start.
 */
import type { ApplicationLoadError } from './application-load-error.ts';
import type { Incarnation } from './incarnation.ts';

export class FirstThreads {
  readonly #unproven = new Set<Incarnation>();
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    // A caller need not wait for this promise.
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects with an `ApplicationLoadError` when such a thread dies. Never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  add(incarnation: Incarnation): void {
    this.#unproven.add(incarnation);
    incarnation.proven.promise.then(
      () => this.#unproven.delete(incarnation),
      () => undefined,
    );
  }

  /** Any thread of the pool has died. */
  onDied(incarnation: Incarnation, error: ApplicationLoadError): void {
    if (this.#unproven.delete(incarnation) && incarnation.thread.tally.ended === 0)
      this.#failed.reject(error);
  }
}
