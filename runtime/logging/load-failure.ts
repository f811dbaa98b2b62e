/** Log fields for an application that does not load: the stack of the module's error, and the source line. */
import type { ApplicationLoadError } from '../pools/application-load-error.ts';
import { sourceLineOf } from './source-line.ts';

/** Added to the log line, whose message has what Sluice itself says about the module. */
export function loadFailureLine({ code, report }: ApplicationLoadError): object {
  if (report.code?.startsWith('SLUICE_')) return { code };
  const source = sourceLineOf(report.stack);
  return { code, err: report, ...(source !== null && { source }) };
}
