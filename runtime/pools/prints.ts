/**
 * What applications print. By default Node pipes the streams of a thread into those of the process: whoever does not read those
 * holds up the threads, in whose heaps everything that they print then piles up; and one error ends the pipe for ever.
 */

import type { Worker } from 'node:worker_threads';
import type { PrintSettings } from '../../wire/control.ts';

/** Takes what it is given at once, whatever becomes of it. */
export interface Prints {
  readonly stdout: (piece: Uint8Array) => void;
  readonly stderr: (piece: Uint8Array) => void;
  /** Threads are to make lines of the log of what they print; absent: it is taken as it is. */
  readonly labels?: PrintSettings;
}

export function takePrints({ stdout, stderr }: Worker, prints: Prints): void {
  // Taken out of its pipe, a stream is paused.
  stdout.unpipe().on('data', prints.stdout).resume();
  stderr.unpipe().on('data', prints.stderr).resume();
}
