/**
 * `sluice start --watch`: watches the configuration and the files that a pool's threads have loaded. A changed file reloads the pools
 * that have loaded it; a changed configuration reloads all pools. Not for production: the reactor's thread checks the files, and
 * browsers are shown errors.
 */
import { relative } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Log } from '../logging/log.ts';
import { sourceLineOf } from '../logging/source-line.ts';
import type { ApplicationLoadError } from '../pools/application-load-error.ts';
import { ChangedFiles } from './changed-files.ts';

export interface Reloads {
  reload(by: string, pools: ReadonlySet<string> | 'all'): Promise<unknown>;
}

/** A developer does not want to wait for exchanges of the old version. */
const DRAIN_TIMEOUT_MS = 1_000;

export class Development {
  readonly #log: Log;
  readonly #files: ChangedFiles;
  readonly #configFile: string;
  readonly #pools = new Map<string, Set<string>>();
  #reloads: Reloads | null = null;

  constructor(configFile: string, log: Log) {
    this.#log = log;
    this.#configFile = configFile;
    this.#files = new ChangedFiles(
      (files) => this.#changed(files),
      (folder, err) => log.warn({ folder, err }, 'folder not watched: changes in it are not noticed'),
    );
    this.#files.add(configFile);
  }

  /** The configuration with shorter waits, so that a change takes effect at once. */
  static configOf(config: Config): Config {
    const pools = Object.entries(config.pools).map(([name, pool]) => [name, { ...pool, minUptimeMs: 0 }]);
    const drainTimeoutMs = Math.min(config.reload.drainTimeoutMs, DRAIN_TIMEOUT_MS);
    return { ...config, pools: Object.fromEntries(pools), reload: { ...config.reload, drainTimeoutMs } };
  }

  /** The error with the line of source code that caused it. */
  readonly explain = (error: ApplicationLoadError): string => {
    const line = sourceLineOf(error.report.stack);
    return line === null ? error.message : `${error.message}\n${line}`;
  };

  /** From now on a change causes a reload. */
  begin(reloads: Reloads): void {
    this.#reloads = reloads;
  }

  /** A thread of the pool has loaded these files. */
  onLoaded(pool: string, files: readonly string[]): void {
    for (const file of files) {
      const pools = this.#pools.get(file) ?? new Set();
      this.#pools.set(file, pools.add(pool));
      this.#files.add(file);
    }
  }

  #changed(files: readonly string[]): void {
    this.#log.info({ files: files.map((file) => relative(process.cwd(), file)) }, 'files have changed');
    if (this.#reloads === null) return;
    const pools = new Set(files.flatMap((file) => [...(this.#pools.get(file) ?? [])]));
    const what = files.includes(this.#configFile) ? 'all' : pools;
    // The log tells the outcome.
    void this.#reloads.reload('a changed file', what).catch(() => undefined);
  }

  close(): void {
    this.#reloads = null;
    this.#files.close();
  }
}
