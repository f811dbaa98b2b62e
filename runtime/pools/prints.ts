/**
 * Receives what applications print. By default Node pipes the streams of a thread into those of the process.
 * Then a slow reader makes everything that threads print accumulate in their heaps, and one error ends the
 * pipe for ever.
 */

import type { Worker } from 'node:worker_threads';
import type { PrintSettings } from '../../wire/control.ts';

/** Accepts each write at once, whether or not it can be written. */
export interface Prints {
  readonly stdout: (piece: Uint8Array) => void;
  readonly stderr: (piece: Uint8Array) => void;
  /** Threads turn what they print into log lines; absent: it is passed on unchanged. */
  readonly labels?: PrintSettings;
}

export function takePrints({ stdout, stderr }: Worker, prints: Prints): void {
  // A stream is paused when its pipe is removed, so it must be resumed.
  stdout.unpipe().on('data', prints.stdout).resume();
  stderr.unpipe().on('data', prints.stderr).resume();
}
