/** The server stops, so a reload has changed nothing; neither the configuration nor an application is to blame. */
export class ReloadStoppedError extends Error {
  override readonly name = 'ReloadStoppedError';
  readonly code = 'SLUICE_RELOAD_STOPPED';

  constructor() {
    super('reload: expected a running server, got one that is stopping');
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'SLUICE_RELOAD_FAILED';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
