/**
 * Replaces an uncaught error by a report of it before the error leaves the thread. Without that, Node would
 * send the value itself to the main thread: with all its megabytes, as `null` if it cannot be cloned, or so
 * deeply nested that the main thread fails to read it and ends the process.
 */

import { describeError } from '../../wire/error-report.ts';

type Emit = (event: string | symbol, ...values: unknown[]) => boolean;

/**
 * Changes only what is reported about the thread's death. When the thread dies, and what its application
 * notices, stay the same.
 */
export function makeLastWordsSafe(maxErrorChars?: number): void {
  const emit = process.emit.bind(process) as Emit;
  // This is not a listener, because a listener would mean that the application handles such errors itself. In
  // a worker thread, Node sends the return value of this call instead of the error.
  const emitSafely: Emit = (event, ...values) => {
    if (event !== 'uncaughtException') return emit(event, ...values);
    let isHandled: boolean;
    try {
      isHandled = emit(event, ...values);
    } catch (thrown) {
      throw describeError(thrown, maxErrorChars);
    }
    if (isHandled) return true;
    tellExit();
    throw describeError(values[0], maxErrorChars);
  };
  process.emit = emitSafely as typeof process.emit;
}

/** Node calls this if no code has handled the error, and sends nothing if this call throws. */
function tellExit(): void {
  process.exitCode = 1;
  try {
    process.emit('exit', 1);
  } catch {
    // The first error ends the thread, as on Node.
  }
}
