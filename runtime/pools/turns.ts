/** The reactor's turn and its clocks, as pools see them. */
import type { JobRecord } from './tally.ts';

/** The turn that moves what threads and sockets have produced. */
export interface Turns {
  /** There is something to publish or to receive. */
  request(): void;
  readonly nowMs: number;
  /** The same without the time in which the process was stopped, from another beginning. */
  readonly runningMs: number;
  /** Hears of each job that a thread has ended; absent, or null: nobody wants to. */
  readonly onJobEnded?: ((job: JobRecord) => void) | null;
}
