/** Reloads on request: reads the configuration again and makes the server run it. One reload runs at a time. */
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { loadFailureLine } from '../logging/load-failure.ts';
import type { Log } from '../logging/log.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import type { Server } from '../server/server.ts';
import { codeOf, messageOf, ReloadStoppedError } from './errors.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { describeReload, isWhole, type ReloadReport } from './report.ts';

export class Reloader {
  readonly #server: Server;
  readonly #read: () => Promise<Config>;
  readonly #log: Log;
  readonly #line = new OneAtATime(() => this.#run());
  /** The pools whose threads the next reload replaces. */
  #pools: Set<string> | 'all' = new Set();
  readonly #explain: (error: ApplicationLoadError) => string;
  readonly #opened = Promise.withResolvers<void>();
  #state: 'waiting' | 'open' | 'closed' = 'waiting';

  /**
   * @param read reads the current configuration; rejects with a `ConfigError`
   * @param explain the log message for an application that does not load
   */
  constructor(
    server: Server,
    read: () => Promise<Config>,
    log: Log,
    explain: (error: ApplicationLoadError) => string = messageOf,
  ) {
    this.#explain = explain;
    this.#server = server;
    this.#read = read;
    this.#log = log;
    this.#opened.promise.catch(() => undefined);
  }

  /** The server runs: a reload that was requested during the start begins. */
  open(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'open';
    this.#opened.resolve();
  }

  /** The server stops: later reloads are refused. Idempotent. */
  close(): void {
    this.#state = 'closed';
    this.#opened.reject(new ReloadStoppedError());
  }

  /**
   * Resolves when no old thread takes exchanges any more. The log also reports the outcome.
   * @param by who requested it, for the log
   * @param pools those whose threads are replaced
   * @throws ConfigError, ApplicationLoadError, ReloadStoppedError: the running version stays
   */
  reload(by: string, pools: ReadonlySet<string> | 'all' = 'all'): Promise<ReloadReport> {
    this.#log.info({ by }, 'reload requested');
    this.#pools = pools === 'all' || this.#pools === 'all' ? 'all' : new Set([...this.#pools, ...pools]);
    return this.#line.ask();
  }

  async #run(): Promise<ReloadReport> {
    try {
      await this.#opened.promise;
      this.#requireOpen();
      await this.#server.reloadSettled();
      this.#requireOpen();
      const config = await this.#read();
      const pools = this.#pools;
      this.#pools = new Set();
      const report = await this.#server.reload(config, pools);
      this.#tell(report);
      return report;
    } catch (error) {
      this.#tellFailure(error);
      throw error;
    }
  }

  #requireOpen(): void {
    if (this.#state === 'closed') throw new ReloadStoppedError();
  }

  #tell(report: ReloadReport): void {
    const { pools, changed, certificates, durationMs } = report;
    const line = { pools, changed, certificates, durationMs };
    const what = describeReload(report).join('; ') || 'nothing was left to do';
    if (isWhole(report)) this.#log.info(line, `reloaded: ${what}`);
    else this.#log.error(line, `reloaded in part: ${what}`);
  }

  #tellFailure(error: unknown): void {
    const code = codeOf(error);
    if (error instanceof ReloadStoppedError) this.#log.info({ code }, 'not reloaded: the server stops');
    else if (error instanceof ApplicationLoadError) {
      const what = this.#explain(error);
      // In development the message contains the source line already.
      const line = what === error.message ? loadFailureLine(error) : { code };
      this.#log.error(line, `not reloaded, the running version stays: ${what}`);
    } else if (error instanceof ConfigError) {
      this.#log.error({ code }, `not reloaded, the running version stays: ${messageOf(error)}`);
    } else this.#log.error({ code, err: error }, 'not reloaded, the running version stays');
  }
}
