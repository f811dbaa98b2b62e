/** Log fields for an application that does not load: the stack of the module's error, and the source line. */
import type { ErrorReport } from '../../wire/error-report.ts';
import type { ApplicationLoadError } from '../pools/application-load-error.ts';
import { sourceLineOf } from './source-line.ts';

/** Added to the log line. */
export function loadFailureLine({ code, report }: ApplicationLoadError): object {
  const source = sourceLineOf(report.stack);
  return { code, ...(isPlaced(report, source) && { err: report }), ...(source !== null && { source }) };
}

/**
 * Whether a report's stack leads to the fault. An error of Sluice's own is complete in its message, unless a line of the application
 * caused it, such as a call of `process.abort()`.
 */
export function isPlaced({ code, stack }: ErrorReport, source = sourceLineOf(stack)): boolean {
  return source !== null || code?.startsWith('SLUICE_') !== true;
}
