/** The reactor's turn and its clocks, as pools see them. */
import type { JobRecord } from './tally.ts';

/** The turn that moves what threads and sockets have produced. */
export interface Turns {
  /** There is something to publish or to receive. */
  request(): void;
  readonly nowMs: number;
  /** As `nowMs`, without the time in which the process was stopped, and from another beginning. */
  readonly runningMs: number;
  /** Called for each job that a thread has ended; absent, or null: nobody wants to know. */
  readonly onJobEnded?: ((job: JobRecord) => void) | null;
}
