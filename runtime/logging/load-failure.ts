/** What the log says of an application that does not load: of an error of the module's its stack says where, and its source line what. */
import type { ApplicationLoadError } from '../pools/application-load-error.ts';
import { sourceLineOf } from './source-line.ts';

/** Beside the message, which has what Sluice itself has to say about the module. */
export function loadFailureLine({ code, report }: ApplicationLoadError): object {
  if (report.code?.startsWith('SLUICE_')) return { code };
  const source = sourceLineOf(report.stack);
  return { code, err: report, ...(source !== null && { source }) };
}
