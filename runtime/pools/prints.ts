/**
 * What applications print. By default Node pipes the streams of a thread into those of the process. Then a
 * reader who is slow holds up the threads, in whose heaps everything that they print piles up, and one error
 * ends the pipe for ever.
 */

import type { Worker } from 'node:worker_threads';
import type { PrintSettings } from '../../wire/control.ts';

/** Takes what it is given at once, whatever becomes of it. */
export interface Prints {
  readonly stdout: (piece: Uint8Array) => void;
  readonly stderr: (piece: Uint8Array) => void;
  /** Threads make lines of the log of what they print; absent: it is taken as it is. */
  readonly labels?: PrintSettings;
}

export function takePrints({ stdout, stderr }: Worker, prints: Prints): void {
  // Without its pipe, a stream is paused.
  stdout.unpipe().on('data', prints.stdout).resume();
  stderr.unpipe().on('data', prints.stderr).resume();
}
