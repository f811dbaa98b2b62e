/** The application's module could not be loaded, or did not load in time. */
import type { ErrorReport } from '../../wire/error-report.ts';

export class ApplicationLoadError extends Error {
  readonly code = 'SLUICE_APPLICATION_LOAD_FAILED';
  readonly pool: string;
  /** Why the thread ended, as the thread itself has reported it. */
  readonly report: ErrorReport;

  constructor(pool: string, application: string, report: ErrorReport) {
    super(
      `pool '${pool}': expected an application module at ${application}, got ${report.name}: ${report.message}`,
    );
    this.name = 'ApplicationLoadError';
    this.pool = pool;
    this.report = report;
  }
}
