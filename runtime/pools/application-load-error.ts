/** The application's module could not be loaded, or did not load in time. */
export class ApplicationLoadError extends Error {
  readonly code = 'SLUICE_APPLICATION_LOAD_FAILED';
  readonly pool: string;

  constructor(pool: string, application: string, found: string) {
    super(`pool '${pool}': expected an application module at ${application}, ${found}`);
    this.name = 'ApplicationLoadError';
    this.pool = pool;
  }
}
