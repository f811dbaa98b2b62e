/**
 * Decides what a SIGHUP means. An operator sends it for a reload. The system sends it when the terminal
 * closes from which the server was started; then the server is no longer wanted and drains.
 *
 * The standard streams tell the two apart: a stream that was a terminal at the start is no longer one after
 * the terminal has closed. A server under nohup or a supervisor, or with all three streams elsewhere, has no
 * terminal.
 */
import { isatty } from 'node:tty';

const STANDARD_STREAMS = [0, 1, 2];

export class Terminal {
  readonly #isTerminal: (fd: number) => boolean;
  /** The standard streams that were a terminal at the start. */
  readonly #fds: readonly number[];

  constructor(isTerminal: (fd: number) => boolean = isatty) {
    this.#isTerminal = isTerminal;
    this.#fds = STANDARD_STREAMS.filter(isTerminal);
  }

  /** True if there was a terminal at the start and there is none now. */
  get hasClosed(): boolean {
    return this.#fds.length > 0 && !this.#fds.some(this.#isTerminal);
  }
}

/** Handles SIGHUP from the beginning of the start, because the signal kills a process without a handler. */
export class Hangups {
  readonly #terminal: Terminal;
  /** Signals before `tellTo` ask for one reload together. */
  #isMissed = false;
  #listener: ((hasTerminalClosed: boolean) => void) | null = null;

  constructor(source: NodeJS.EventEmitter = process, terminal = new Terminal()) {
    this.#terminal = terminal;
    source.on('SIGHUP', this.#onSignal);
  }

  /** Calls the listener for each signal from now on, and once for all earlier ones. */
  tellTo(listener: (hasTerminalClosed: boolean) => void): void {
    this.#listener = listener;
    if (this.#isMissed) this.#onSignal();
  }

  readonly #onSignal = (): void => {
    if (this.#listener === null) this.#isMissed = true;
    else this.#listener(this.#terminal.hasClosed);
  };
}
