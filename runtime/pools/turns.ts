/** The reactor's turn and its clocks, as pools see them. */
import type { JobRecord } from './tally.ts';

/** The turn that moves what threads and sockets have produced. */
export interface Turns {
  /** Requests a turn, because there is something to publish or to receive. */
  request(): void;
  readonly nowMs: number;
  /** Like `nowMs`, without the time in which the process was stopped, and counted from another start. */
  readonly runningMs: number;
  /** Called for each job that a thread has ended; absent or null: it is not needed. */
  readonly onJobEnded?: ((job: JobRecord) => void) | null;
}
