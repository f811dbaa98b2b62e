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
  /** By pool, what its versions have loaded. */
  readonly #loaded = new Map<string, VersionFiles>();
  #versions = 0;
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

  /**
   * Called when a version of the pool is made.
   * @returns a function that records the files that its threads load
   */
  follow(pool: string): (files: readonly string[]) => void {
    const version = ++this.#versions;
    return (files) => {
      for (const file of files) this.#files.add(file);
      const loaded = this.#loaded.get(pool) ?? new VersionFiles();
      this.#loaded.set(pool, loaded);
      loaded.add(version, files);
    };
  }

  /**
   * Called when the pool runs only its newest version. Files that only earlier versions have loaded are
   * forgotten.
   */
  settled(pool: string): void {
    this.#loaded.get(pool)?.keepNewest();
    this.#keepLoaded();
  }

  /** The pool has ended. */
  forget(pool: string): void {
    this.#loaded.delete(pool);
    this.#keepLoaded();
  }

  #keepLoaded(): void {
    const kept = new Set([this.#configFile]);
    for (const loaded of this.#loaded.values()) for (const file of loaded.all()) kept.add(file);
    this.#files.keepOnly(kept);
  }

  #changed(files: readonly string[]): void {
    this.#log.info({ files: files.map((file) => relative(process.cwd(), file)) }, 'files have changed');
    if (this.#reloads === null) return;
    const pools = new Set<string>();
    for (const [pool, loaded] of this.#loaded) if (files.some((file) => loaded.has(file))) pools.add(pool);
    const what = files.includes(this.#configFile) ? 'all' : pools;
    // The log reports the outcome.
    void this.#reloads.reload('a changed file', what).catch(() => undefined);
  }

  close(): void {
    this.#reloads = null;
    this.#files.close();
  }
}

/** The version that runs, and the last two that were tried. */
const MOST_VERSIONS = 3;

/** The files that the versions of a pool have loaded. */
class VersionFiles {
  readonly #byVersion = new Map<number, Set<string>>();

  add(version: number, files: readonly string[]): void {
    const loaded = this.#byVersion.get(version) ?? new Set();
    for (const file of files) loaded.add(file);
    this.#byVersion.set(version, loaded);
    const [, second = version] = this.#byVersion.keys();
    if (this.#byVersion.size > MOST_VERSIONS) this.#byVersion.delete(second);
  }

  has(file: string): boolean {
    for (const loaded of this.#byVersion.values()) if (loaded.has(file)) return true;
    return false;
  }

  *all(): Generator<string> {
    for (const loaded of this.#byVersion.values()) yield* loaded;
  }

  keepNewest(): void {
    const newest = Math.max(...this.#byVersion.keys());
    for (const version of this.#byVersion.keys()) if (version !== newest) this.#byVersion.delete(version);
  }
}
