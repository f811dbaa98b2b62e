/**
 * Reloads, one at a time. Whoever asks for one while another runs gets one that begins afterwards, together with everybody else who asked
 * meanwhile: what they want is that what is on the disk now runs, and one reload does that for all of them. So at most one waits.
 */
export class OneAtATime<Result> {
  readonly #run: () => Promise<Result>;
  #running: Promise<void> | null = null;
  #waiting: Promise<Result> | null = null;

  /** @param run begins when nothing runs any more */
  constructor(run: () => Promise<Result>) {
    this.#run = run;
  }

  /** Resolves, or rejects, as the run does that begins after this call. */
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
    // What goes wrong is for whoever asked.
    this.#running = result.then(over, over);
    return result;
  }
}
