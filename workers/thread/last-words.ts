/**
 * What nobody has caught ends the thread, and Node carries it to the main thread: the value itself, as far as it can be
 * cloned, with all its megabytes, or as `null`, or nested so deep that the main thread fails to read it and ends the process.
 * So a report of it takes its place while it is still here.
 */

import { describeError } from '../../wire/error-report.ts';

type Emit = (event: string | symbol, ...values: unknown[]) => boolean;

/** Changes what is told of the thread's death, and nothing of when it dies or what its application sees of that. */
export function makeLastWordsSafe(maxErrorChars?: number): void {
  const emit = process.emit.bind(process) as Emit;
  // Not a listener: whether there is one says whether the application handles such errors itself. In a worker thread, Node
  // sends what comes out of this call in place of what it was made for.
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

/** Node does this where nobody handles the error, and leaves it out where this call throws. */
function tellExit(): void {
  process.exitCode = 1;
  try {
    process.emit('exit', 1);
  } catch {
    // The thread ends of what came first; Node does the same.
  }
}
