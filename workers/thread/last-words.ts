/**
 * An error that nobody has caught ends the thread, and Node carries it to the main thread: the value itself,
 * as far as it can be cloned, with all its megabytes, or as `null`, or so deeply nested that the main thread
 * fails to read it and ends the process. So a report of the error takes its place while it is still here.
 */

import { describeError } from '../../wire/error-report.ts';

type Emit = (event: string | symbol, ...values: unknown[]) => boolean;

/**
 * Changes what is reported of the thread's death. When the thread dies, and what its application sees of
 * that, stays the same.
 */
export function makeLastWordsSafe(maxErrorChars?: number): void {
  const emit = process.emit.bind(process) as Emit;
  // Not a listener, because a listener says that the application handles such errors itself. In a worker
  // thread, Node sends what this call returns in place of the error.
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

/** Node calls this where nobody handles the error, and sends nothing if this call throws. */
function tellExit(): void {
  process.exitCode = 1;
  try {
    process.emit('exit', 1);
  } catch {
    // The thread ends of the first error; Node does the same.
  }
}
