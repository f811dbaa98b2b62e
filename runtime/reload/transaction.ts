/**
 * One reload: the server takes over a new configuration completely, or stays as it is.
 *
 *   prepared ─▶ proven ─▶ taken over ─▶ rolled out ─▶ settled
 *       └──────────┴────▶ given up
 *
 * Each pool first starts one thread with the version on the disk, which takes exchanges beside the old threads. When all of these have
 * lived for `minUptimeMs`, routes, limits and pools change at one moment; until then nothing else changes. Each pool then replaces its
 * other old threads one at a time, each once its replacement has lived for as long.
 */

import { changedPlaces, fixedProblems } from '../config/changes.ts';
import type { Config, PoolConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import type { Pool } from '../pools/pool.ts';
import type { PoolOptions, ThreadVersion } from '../pools/pool-options.ts';
import type { Trial } from '../pools/trial.ts';
import type { Certificates, PreparedCertificates } from '../tls/certificates.ts';
import { codeOf, messageOf, ReloadStoppedError } from './errors.ts';
import type { PoolReload, ReloadReport } from './report.ts';

/** What a reload needs from the server. */
export interface ReloadTarget {
  readonly config: Config;
  readonly isRunning: boolean;
  readonly pools: ReadonlyMap<string, Pool>;
  /** Null: no listener has TLS. */
  readonly certificates: Certificates | null;
  optionsOf(pool: PoolConfig, config: Config): PoolOptions;
  createPool(pool: PoolConfig, config: Config): Pool;
  /** Switches to this configuration and these pools. The caller ends the pools that are no longer among them. */
  take(config: Config, pools: ReadonlyMap<string, Pool>): void;
  /** Ends a removed pool. Resolves when its threads have ended. */
  retire(pool: Pool): Promise<void>;
  /**
   * Records that a pool keeps the version that it has loaded, because the one on the disk fails. Null: it runs the one on the disk again.
   */
  setStale(pool: string, why: Error | null): void;
}

/** A pool of both the old and the new configuration. */
interface Kept {
  readonly pool: Pool;
  readonly version: ThreadVersion;
  readonly trial: Trial;
  readonly options: PoolOptions;
}

export class ReloadTransaction {
  readonly #target: ReloadTarget;
  readonly #after: Config;
  readonly #only: ReadonlySet<string> | 'all';
  readonly #added: Pool[] = [];
  readonly #kept: Kept[] = [];
  /** Settle when old threads and pools have ended. */
  readonly #ends: Promise<unknown>[] = [];
  /** Certificates for changed `tls` sections; null: the sections are the same. */
  #prepared: PreparedCertificates | null = null;
  #certificatesChanged = false;
  #state: 'open' | 'taken' | 'given-up' = 'open';

  /** @param only of the pools in both configurations, those whose threads are replaced */
  constructor(target: ReloadTarget, after: Config, only: ReadonlySet<string> | 'all') {
    this.#target = target;
    this.#after = after;
    this.#only = only;
  }

  /**
   * Resolves when no old thread takes exchanges any more.
   * @throws ConfigError, ApplicationLoadError, ReloadStoppedError: nothing has changed
   */
  async run(): Promise<ReloadReport> {
    const startedMs = performance.now();
    const target = this.#target;
    const before = target.config;
    const problems = fixedProblems(before, this.#after);
    if (problems.length > 0) throw new ConfigError(this.#after.file, problems);
    const certificates = await this.#readCertificates();
    this.#requireRunning();
    await this.#prove();
    const removed = this.#takeOver();
    const pools = await this.#rollOut();
    return {
      changed: changedPlaces(before, this.#after),
      pools: [
        ...pools,
        ...removed.map(({ name }) => ({ pool: name, change: 'removed' as const, threads: 0 })),
      ],
      certificates: certificates || this.#certificatesChanged,
      durationMs: Math.round(performance.now() - startedMs),
    };
  }

  /** Resolves when old threads and pools have ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#ends);
  }

  /** The server ends, and the threads that this reload has started with it. Resolves when they have ended. */
  async abort(): Promise<void> {
    if (this.#state !== 'taken') await this.#giveUp();
  }

  #requireRunning(): void {
    if (!this.#target.isRunning || this.#state === 'given-up') throw new ReloadStoppedError();
  }

  /**
   * If the `tls` sections are unchanged, new certificates are in force when this resolves, whatever happens to the rest of the reload: a
   * certificate must not expire because an application does not load.
   */
  async #readCertificates(): Promise<boolean> {
    const { certificates } = this.#target;
    if (certificates === null) return false;
    const { listeners, file } = this.#after;
    if (!certificates.isSameFor(listeners)) {
      this.#prepared = await certificates.prepare(listeners, file);
      return false;
    }
    const { problems, isChanged } = await certificates.reload();
    if (problems.length > 0) throw new ConfigError(file, problems);
    return isChanged;
  }

  async #prove(): Promise<void> {
    const target = this.#target;
    const after = this.#after;
    try {
      for (const config of Object.values(after.pools)) {
        const pool = target.pools.get(config.name);
        if (pool === undefined) {
          this.#added.push(target.createPool(config, after));
          continue;
        }
        if (this.#only !== 'all' && !this.#only.has(config.name)) continue;
        const options = target.optionsOf(config, after);
        const version = pool.renewal.createVersion(options);
        this.#kept.push({ pool, version, options, trial: pool.renewal.try(version) });
      }
      await Promise.all([
        ...this.#added.map((pool) => pool.start()),
        ...this.#kept.map(({ trial }) => trial.ready),
      ]);
      await Promise.all([
        ...this.#added.map((pool) => pool.proven()),
        ...this.#kept.map(({ trial }) => trial.proven),
      ]);
      this.#requireRunning();
    } catch (error) {
      void this.#giveUp();
      if (!target.isRunning) throw new ReloadStoppedError();
      this.#blame(error);
      throw error;
    }
  }

  /** The version on the disk does not run: the pool is stale. */
  #blame(error: unknown): void {
    if (!(error instanceof ApplicationLoadError) || !this.#target.pools.has(error.pool)) return;
    this.#target.setStale(error.pool, error);
  }

  async #giveUp(): Promise<void> {
    this.#state = 'given-up';
    for (const { trial } of this.#kept) trial.refuse();
    await Promise.all(this.#added.map((pool) => pool.destroy()));
  }

  /** @returns the pools that the new configuration does not have */
  #takeOver(): readonly Pool[] {
    const target = this.#target;
    this.#state = 'taken';
    const all = new Map([...target.pools.values(), ...this.#added].map((pool) => [pool.name, pool]));
    const pools = new Map<string, Pool>();
    for (const name of Object.keys(this.#after.pools)) pools.set(name, all.get(name) as Pool);
    for (const { pool, version, options } of this.#kept) {
      pool.renewal.use(version);
      pool.reconfigure(options);
    }
    const removed = [...target.pools.values()].filter(({ name }) => !pools.has(name));
    target.take(this.#after, pools);
    if (this.#prepared !== null)
      this.#certificatesChanged = target.certificates?.take(this.#prepared) === true;
    for (const pool of removed) this.#ends.push(target.retire(pool));
    return removed;
  }

  async #rollOut(): Promise<PoolReload[]> {
    const reports = new Map<string, PoolReload>();
    for (const { name, threadCount } of this.#added) {
      reports.set(name, { pool: name, change: 'added', threads: threadCount });
    }
    await Promise.all(
      this.#kept.map(async (kept) => reports.set(kept.pool.name, await this.#rollOutPool(kept))),
    );
    return Object.keys(this.#after.pools).flatMap((name) => reports.get(name) ?? []);
  }

  async #rollOutPool({ pool, version, trial, options }: Kept): Promise<PoolReload> {
    let threads = 1;
    this.#ends.push(trial.accept());
    const report = { pool: pool.name, change: 'replaced' as const };
    // Read again each time: a thread that has died or been recycled meanwhile already has a replacement.
    for (;;) {
      const [old] = pool.renewal.threadsBefore(version);
      if (old === undefined || !this.#target.isRunning) break;
      if (old.state === 'starting' || pool.readyThreads > options.maxThreads) {
        this.#ends.push(pool.renewal.retireThread(old));
        continue;
      }
      const next = pool.renewal.try(version, old);
      try {
        await next.proven;
      } catch (error) {
        next.refuse();
        if (!this.#target.isRunning) break;
        this.#target.setStale(pool.name, error as Error);
        return { ...report, threads, failure: { code: codeOf(error), message: messageOf(error) } };
      }
      threads++;
      this.#ends.push(next.accept());
    }
    // Resized meanwhile: threads on trial did not count.
    pool.renewal.retireSurplus();
    this.#target.setStale(pool.name, null);
    return { ...report, threads };
  }
}
