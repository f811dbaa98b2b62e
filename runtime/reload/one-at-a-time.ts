/**
 * Runs reloads one at a time. All requests that arrive during a run share the next one: they want the version that is on the disk now,
 * and one later run provides it for all of them. So at most one run waits.
 */
export class OneAtATime<Result> {
  readonly #run: () => Promise<Result>;
  #running: Promise<void> | null = null;
  #waiting: Promise<Result> | null = null;

  /** @param run called when no other run is in progress */
  constructor(run: () => Promise<Result>) {
    this.#run = run;
  }

  /** Settles like a run that begins after this call. */
  ask(): Promise<Result> {
    if (this.#waiting !== null) return this.#waiting;
    if (this.#running === null) return this.#begin();
    this.#waiting = this.#running.then(() => {
      this.#waiting = null;
      return this.#begin();
    });
    return this.#waiting;
  }

  #begin(): Promise<Result> {
    const result = this.#run();
    const over = (): void => {
      this.#running = null;
    };
    // The caller of `ask` handles the failure.
    this.#running = result.then(over, over);
    return result;
  }
}
