/**
 * SIGTERM and SIGINT, and who asks over the control socket: the first asks the server to drain, the second to end at once. Heard from the beginning of a start, before there is a
 * log: a process that has no handler yet is killed by them, or hears nothing where it is a container's first.
 */
import type { Log } from '../logging/log.ts';

/**
 * Ctrl-C reaches every process of the terminal, and npm, npx and clinic pass on to the server what they got: it comes twice, within
 * about 100 ms. Nobody who means it twice is as quick.
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
  /** When the SIGINT came that counted last. */
  #interruptedMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number = () => performance.now(), source: NodeJS.EventEmitter = process) {
    this.#nowMs = nowMs;
    source.on('SIGTERM', this.#onSignal);
    source.on('SIGINT', this.#onSignal);
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** With the exit code that it asks for. */
  get second(): Promise<number> {
    return this.#second.promise;
  }

  tellTo(log: Log): void {
    this.#log = log;
    for (const tell of this.#unlogged) tell(log);
    this.#unlogged = [];
  }

  /** The terminal has closed that the server was started from. Never the second signal: nobody has lost patience. */
  hangUp(): void {
    if (this.#heard !== 'none') return;
    this.#heard = 'one';
    this.#tell((log) =>
      log.info({ signal: 'SIGHUP' }, 'draining, because the terminal has closed: open exchanges finish'),
    );
    this.#first.resolve();
  }

  /** Somebody asks over the control socket. Never the second signal, as often as it is asked. */
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

  /** Without a log at most two wait for it. */
  #tell(tell: (log: Log) => void): void {
    if (this.#log === null) this.#unlogged.push(tell);
    else tell(this.#log);
  }
}
