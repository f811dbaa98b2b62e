/**
 * One reload: a server that runs one configuration comes to run another, or stays as it is.
 *
 *   prepared ─▶ proven ─▶ taken over ─▶ rolled out ─▶ settled
 *       └──────────┴────▶ given up
 *
 * Until the first thread of every pool has loaded what is on the disk now, and has lived with it for `minUptimeMs`, nothing changes but
 * that these threads take exchanges beside the old ones. Then routes, limits and pools change at one moment. Behind it the other old
 * threads are replaced one at a time, each once its replacement has lived for as long.
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

/** The server, as a reload sees it. */
export interface ReloadTarget {
  readonly config: Config;
  readonly isRunning: boolean;
  readonly pools: ReadonlyMap<string, Pool>;
  /** Null: no listener has TLS. */
  readonly certificates: Certificates | null;
  optionsOf(pool: PoolConfig, config: Config): PoolOptions;
  createPool(pool: PoolConfig, config: Config): Pool;
  /** From now on it runs this, with these pools. Those that it does not have any more are the caller's to end. */
  take(config: Config, pools: ReadonlyMap<string, Pool>): void;
  /** Ends a pool that has been taken out. Resolves when its threads have ended. */
  retire(pool: Pool): Promise<void>;
  /** A pool goes on with what it had loaded, since what is on the disk does not do; null: that is over. */
  setStale(pool: string, why: Error | null): void;
}

/** A pool that there is before and after. */
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
  /** Of old threads and pools. */
  readonly #ends: Promise<unknown>[] = [];
  /** For other listeners' sections of TLS; null: they are the same. */
  #prepared: PreparedCertificates | null = null;
  #certificatesChanged = false;
  #state: 'open' | 'taken' | 'given-up' = 'open';

  /** @param only of the pools that there are before and after, the ones whose threads are to be replaced */
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

  /** The server ends: what has been started for it ends with it. Resolves when it has. */
  async abort(): Promise<void> {
    if (this.#state !== 'taken') await this.#giveUp();
  }

  #requireRunning(): void {
    if (!this.#target.isRunning || this.#state === 'given-up') throw new ReloadStoppedError();
  }

  /**
   * Where the configuration says the same of TLS as before, new certificates are in force when this resolves, whatever becomes of the rest:
   * they must not expire because of an application that does not load.
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

  /** What is on the disk is not what runs, and will not run if it has to. */
  #blame(error: unknown): void {
    if (!(error instanceof ApplicationLoadError) || !this.#target.pools.has(error.pool)) return;
    this.#target.setStale(error.pool, error);
  }

  async #giveUp(): Promise<void> {
    this.#state = 'given-up';
    for (const { trial } of this.#kept) trial.refuse();
    await Promise.all(this.#added.map((pool) => pool.destroy()));
  }

  /** Pools that it does not have any more. */
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
    for (const old of pool.renewal.threadsBefore(version)) {
      if (!this.#target.isRunning) break;
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
    this.#target.setStale(pool.name, null);
    return { ...report, threads };
  }
}
