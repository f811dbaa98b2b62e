/**
 * Handles the standard output of a command. A reader that has left (`sluice top | head`) is not a failure; a full
 * disk is.
 */

/** The process has one standard output. */
let failure: Error | null = null;
let isWatched = false;

/** Without it, an error of standard output would end the process. */
export function watchStandardOutput(output: NodeJS.EventEmitter = process.stdout): void {
  if (isWatched) return;
  isWatched = true;
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= error;
  });
}

/** Null: what was written has arrived, or nobody wanted it. */
export function standardOutputFailure(): Error | null {
  return failure;
}
