/**
 * The jobs of a thread that died, for the log: the begun jobs that were lost, and the number of jobs that
 * other threads take over.
 */
import type { Particulars } from './job.ts';

const MOST_NAMED = 8;

export class Casualties {
  readonly #first: Particulars[] = [];
  #lost = 0;
  /** Jobs that the thread had been given and had not begun. Other threads run them. */
  moved = 0;

  /** The oldest of the lost jobs. */
  get first(): readonly Particulars[] {
    return this.#first;
  }

  /** Lost jobs that `first` does not name. */
  get more(): number {
    return this.#lost - this.#first.length;
  }

  /** The thread had begun this job. */
  lose(job: { readonly particulars: Particulars }): void {
    if (this.#lost++ < MOST_NAMED) this.#first.push(job.particulars);
  }
}
