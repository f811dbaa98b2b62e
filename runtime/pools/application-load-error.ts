/** The application's module could not be loaded, or did not load in time. */
import type { ErrorReport } from '../../wire/error-report.ts';

export class ApplicationLoadError extends Error {
  readonly code = 'SLUICE_APPLICATION_LOAD_FAILED';
  readonly pool: string;
  /** Why the thread ended, as the thread itself has reported it. */
  readonly report: ErrorReport;

  constructor(pool: string, application: string, report: ErrorReport) {
    super(
      `pool '${pool}': expected an application module at ${application}, got ${report.name}: ${report.message}${reasonOf(report)}`,
    );
    this.name = 'ApplicationLoadError';
    this.pool = pool;
    this.report = report;
  }
}

/** Of an exit Piscina tells no more than the code. */
function reasonOf({ message }: ErrorReport): string {
  const [, code] = /^worker exited with code: (\d+)$/.exec(message) ?? [];
  if (code === undefined) return '';
  return `, by process.exit(${code}) in the module, in one that it imports, or in a preload`;
}
