/**
 * How a server ends in order: it goes on for a while without being ready, takes no more requests, lets what is open finish, and then lets
 * the applications stop. What has not ended at the deadline is cut off.
 */
import type { Config } from '../config/config.ts';
import { Deadline } from '../deadlines/counters.ts';
import type { Log } from '../logging/log.ts';
import type { Pool } from '../pools/pool.ts';
import type { Frontend } from './frontend.ts';

/** For the resets of a drain whose deadline is over to leave. Who does not read them by then hears no more. */
const LAST_WORDS_MS = 500;

/** Who ends. */
export interface DrainedServer {
  readonly config: Config;
  /** Null: it has not been opened. */
  readonly frontend: Frontend | null;
  /** With those that finish what they have. */
  readonly pools: readonly Pool[];
  /** Nothing new is to come: neither other certificates nor another configuration. */
  onDraining(): void;
  /** Resolves when the applications have stopped. */
  stopApplications(): Promise<void>;
}

export class Drain {
  readonly #server: DrainedServer;
  readonly #log: Log;
  #whenEmpty: (() => void) | null = null;
  /** Ends the wait before a drain. */
  #endDelay: (() => void) | null = null;

  constructor(server: DrainedServer, log: Log) {
    this.#server = server;
    this.#log = log;
  }

  /** Load balancers hear of the end before their requests meet it. */
  async delay(): Promise<void> {
    const { drainDelayMs } = this.#server.config;
    this.#log.info({ drainDelayMs }, 'not ready: requests are accepted until the drain begins');
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    const timer = setTimeout(resolve, drainDelayMs);
    await promise;
    clearTimeout(timer);
  }

  /** Resolves when all has ended, or been told to. */
  async run(): Promise<void> {
    const { drainTimeoutMs } = this.#server.config;
    const emptied = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    this.#server.frontend?.drain();
    this.#server.onDraining();
    for (const pool of this.#server.pools) pool.announceDrain();
    this.look();
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      deadline = setTimeout(() => resolve('late'), drainTimeoutMs);
    });
    if ((await Promise.race([emptied, late])) === 'late') {
      if (this.#server.frontend?.isIdle ?? true) {
        this.#log.info(
          { connections: this.#server.frontend?.lingeringConnections ?? 0, drainTimeoutMs },
          'drain deadline reached: connections that their peers keep open are closed',
        );
      } else {
        this.#log.warn(
          { connections: this.#server.frontend?.connections.size, drainTimeoutMs },
          'drain deadline reached: open exchanges are reset',
        );
      }
      await this.#resetAll(emptied);
    }
    // Threads have nothing left to do; what their applications have to clean up falls under the same deadline.
    const stopped = this.#server.stopApplications();
    if ((await Promise.race([stopped, late])) === 'late') {
      this.#log.warn('drain deadline reached: applications that have not stopped are ended');
    }
    clearTimeout(deadline);
  }

  /** A client must not take a response for whole that was cut off: it is told, if it listens, before its socket closes. */
  async #resetAll(emptied: Promise<void>): Promise<void> {
    this.#server.frontend?.endAll(Deadline.Drain);
    // HTTP/1 resets its sockets a tick later, when no exchange counts as open any more.
    await new Promise((resolve) => setImmediate(resolve));
    let limit: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, LAST_WORDS_MS);
    });
    await Promise.race([emptied, patience]);
    clearTimeout(limit);
  }

  look(): void {
    if (this.#server.frontend?.isEmpty ?? true) this.emptied();
  }

  /** No connection is left. */
  emptied(): void {
    this.#whenEmpty?.();
    this.#whenEmpty = null;
  }

  /** There is nothing more to wait for, nor a deadline. */
  end(): void {
    this.#endDelay?.();
    this.emptied();
  }
}
