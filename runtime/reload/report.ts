/** What a reload has changed: JSON for the log, the control socket and embedding programs. */

export interface ReloadReport {
  /** JSON paths of the settings that differ from the previous configuration. */
  readonly changed: readonly string[];
  /** In the order of the new configuration; removed pools come last. */
  readonly pools: readonly PoolReload[];
  /** New connections get different certificates. */
  readonly certificates: boolean;
  readonly durationMs: number;
}

export interface PoolReload {
  readonly pool: string;
  readonly change: 'added' | 'replaced' | 'removed';
  /** Threads that run the version on the disk. */
  readonly threads: number;
  /** Why the other threads keep the version that they have loaded; absent: there are no others. */
  readonly failure?: { readonly code: string; readonly message: string };
}

export function isWhole({ pools }: ReloadReport): boolean {
  return pools.every(({ failure }) => failure === undefined);
}

/** The report as lines of text. */
export function describeReload(report: ReloadReport): string[] {
  const { changed, pools, certificates } = report;
  const lines = pools.map(describePool);
  if (certificates) lines.push('certificates: new connections get the new ones');
  const others = changed.filter((place) => !place.startsWith('$.pools.'));
  if (others.length > 0) lines.push(`configuration: ${others.join(', ')}`);
  return lines;
}

function describePool({ pool, change, threads, failure }: PoolReload): string {
  const count = threads === 1 ? '1 thread' : `${threads} threads`;
  const done = change === 'removed' ? 'removed' : `${count} ${change === 'added' ? 'started' : 'replaced'}`;
  return failure === undefined
    ? `pool ${pool}: ${done}`
    : `pool ${pool}: ${done}, the others go on with the old code: ${failure.message} [${failure.code}]`;
}
