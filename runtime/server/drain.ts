/**
 * Ends a server in order. It serves on for a while without being ready, then takes no more requests, lets open exchanges finish, and lets
 * the applications stop. At the deadline it resets what is still open.
 */
import { type Clock, RunningTimer, systemClock } from '../../wire/running-timer.ts';
import type { Config } from '../config/config.ts';
import { Deadline } from '../deadlines/counters.ts';
import type { Log } from '../logging/log.ts';
import type { Pool } from '../pools/pool.ts';
import type { Frontend } from './frontend.ts';

/** Time for resets to leave after the deadline. A peer that does not read them by then only sees its connection close. */
const LAST_WORDS_MS = 500;

export interface DrainedServer {
  readonly config: Config;
  /** Null: no listener has been opened yet. */
  readonly frontend: Frontend | null;
  /** Including removed pools that still finish their exchanges. */
  readonly pools: readonly Pool[];
  /** Neither new certificates nor a new configuration may be taken over from now on. */
  onDraining(): void;
  /** Resolves when the applications have stopped. */
  stopApplications(): Promise<void>;
}

export class Drain {
  readonly #server: DrainedServer;
  readonly #log: Log;
  readonly #clock: Clock;
  #whenEmpty: (() => void) | null = null;
  /** Ends the delay before a drain early. */
  #endDelay: (() => void) | null = null;

  constructor(server: DrainedServer, log: Log, clock: Clock = systemClock) {
    this.#server = server;
    this.#log = log;
    this.#clock = clock;
  }

  /** Load balancers notice that the server is not ready, while it still serves. */
  async delay(): Promise<void> {
    const { drainDelayMs } = this.#server.config;
    this.#log.info({ drainDelayMs }, 'not ready: requests are accepted until the drain begins');
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endDelay = resolve;
    const timer = setTimeout(resolve, drainDelayMs);
    await promise;
    clearTimeout(timer);
  }

  /** Resolves when connections and applications have ended, or have been told to. */
  async run(): Promise<void> {
    const { drainTimeoutMs } = this.#server.config;
    const emptied = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    this.#server.frontend?.drain();
    this.#server.onDraining();
    for (const pool of this.#server.pools) pool.announceDrain();
    this.look();
    const late = Promise.withResolvers<'late'>();
    // Exchanges have not been slow in time in which the process was stopped.
    const deadline = new RunningTimer(drainTimeoutMs, () => late.resolve('late'), this.#clock);
    if ((await Promise.race([emptied, late.promise])) === 'late') {
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
    // The threads have no exchanges any more. Their applications' `stop` has the same deadline.
    const stopped = this.#server.stopApplications();
    if ((await Promise.race([stopped, late.promise])) === 'late') {
      this.#log.warn('drain deadline reached: applications that have not stopped are ended');
    }
    deadline.cancel();
  }

  /** A client must not mistake a truncated response for a complete one: it gets a reset before its socket closes. */
  async #resetAll(emptied: Promise<void>): Promise<void> {
    this.#server.frontend?.endAll(Deadline.Drain);
    // HTTP/1 resets its sockets one tick later, although its exchanges count as closed already.
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

  /** The last connection has closed. */
  emptied(): void {
    this.#whenEmpty?.();
    this.#whenEmpty = null;
  }

  /** Ends every wait, because the server ends at once. */
  end(): void {
    this.#endDelay?.();
    this.emptied();
  }
}
