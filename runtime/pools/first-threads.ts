/**
 * The threads that a pool starts with. Until they have lived for `minUptimeMs`, the death of one that has ended no job is a failure of the
 * pool's start: what an application does while it loads may fail a moment later.
 */
import type { ApplicationLoadError } from './application-load-error.ts';
import type { Incarnation } from './incarnation.ts';

export class FirstThreads {
  readonly #unproven = new Set<Incarnation>();
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    // Nobody needs to wait for it.
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

  /** A thread of the pool has died, whichever it was. */
  onDied(incarnation: Incarnation, error: ApplicationLoadError): void {
    if (this.#unproven.delete(incarnation) && incarnation.thread.tally.ended === 0)
      this.#failed.reject(error);
  }
}
