/** What a reload has changed: JSON, for the log, the control socket and whoever embeds a server. */

export interface ReloadReport {
  /** JSON paths of what the configuration says otherwise than before. */
  readonly changed: readonly string[];
  /** By the order of the new configuration, and behind it those that it does not have. */
  readonly pools: readonly PoolReload[];
  /** New connections get other certificates than before. */
  readonly certificates: boolean;
  readonly durationMs: number;
}

export interface PoolReload {
  readonly pool: string;
  readonly change: 'added' | 'replaced' | 'removed';
  /** Threads that run what is on the disk. */
  readonly threads: number;
  /** Why others go on with what they had loaded; absent: there are none. */
  readonly failure?: { readonly code: string; readonly message: string };
}

export function isWhole({ pools }: ReloadReport): boolean {
  return pools.every(({ failure }) => failure === undefined);
}

/** The same in lines for a person. */
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
