/** What the directory reports of actors that nobody waits for; the server logs it. */
import type { ErrorReport } from '../../wire/error-report.ts';

export interface DirectoryObserver {
  /** A method failed, and its caller does not wait for the result. */
  onTellFailed(actor: string, key: string, error: ErrorReport): void;
  /** A message was accepted and will never be handled to its end. */
  onTellLost(actor: string, key: string, why: string): void;
  onStopFailed(actor: string, key: string, error: ErrorReport): void;
  /** An instance starts again. @param why the error that the instance reported */
  onRestart(actor: string, key: string, thread: string, why: ErrorReport): void;
  /** An instance could not start again. */
  onStartFailed(actor: string, key: string, error: ErrorReport): void;
}
