/**
 * SIGTERM, SIGINT and stops over the control socket: the first makes the server drain, a second signal ends it at once. The handlers are installed
 * before anything else. A process without a handler is killed by these signals, or ignores them if it is the first of a container.
 */
import type { Log } from '../logging/log.ts';

/**
 * Ctrl-C reaches every process of the terminal, and npm, npx and clinic pass it on to the server. So the server gets it twice within about
 * 100 ms, faster than a person can press it twice.
 */
export const REPEATED_SIGINT_MS = 200;

export class StopSignals {
  readonly #nowMs: () => number;
  readonly #first = Promise.withResolvers<void>();
  readonly #second = Promise.withResolvers<number>();
  #heard: 'none' | 'one' | 'two' = 'none';
  /** Called with the log, once there is one. */
  #unlogged: ((log: Log) => void)[] = [];
  #log: Log | null = null;
  /** Time of the last SIGINT that counted. */
  #interruptedMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number = () => performance.now(), source: NodeJS.EventEmitter = process) {
    this.#nowMs = nowMs;
    source.on('SIGTERM', this.#onSignal);
    source.on('SIGINT', this.#onSignal);
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves with the exit code. */
  get second(): Promise<number> {
    return this.#second.promise;
  }

  tellTo(log: Log): void {
    this.#log = log;
    for (const tell of this.#unlogged) tell(log);
    this.#unlogged = [];
  }

  /** The server's terminal has closed. Never counts as a second signal. */
  hangUp(): void {
    if (this.#heard !== 'none') return;
    this.#heard = 'one';
    this.#tell((log) =>
      log.info({ signal: 'SIGHUP' }, 'draining, because the terminal has closed: open exchanges finish'),
    );
    this.#first.resolve();
  }

  /** A stop over the control socket. Never counts as a second signal, however often it is sent. */
  stop(): void {
    if (this.#heard !== 'none') return;
    this.#heard = 'one';
    this.#tell((log) =>
      log.info({ signal: 'stop' }, 'draining, requested over the control socket: open exchanges finish'),
    );
    this.#first.resolve();
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#heard === 'two' || (signal === 'SIGINT' && this.#isRepeated())) return;
    if (this.#heard === 'one') {
      this.#heard = 'two';
      this.#tell((log) => log.warn({ signal }, 'second signal: ending at once'));
      this.#second.resolve(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    this.#heard = 'one';
    this.#tell((log) =>
      log.info({ signal }, 'draining: no new exchanges, open ones finish; a second signal ends at once'),
    );
    this.#first.resolve();
  };

  #isRepeated(): boolean {
    const now = this.#nowMs();
    if (now - this.#interruptedMs < REPEATED_SIGINT_MS) return true;
    this.#interruptedMs = now;
    return false;
  }

  /** Until there is a log, at most two lines wait for it. */
  #tell(tell: (log: Log) => void): void {
    if (this.#log === null) this.#unlogged.push(tell);
    else tell(this.#log);
  }
}
