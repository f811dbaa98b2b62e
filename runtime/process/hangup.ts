/**
 * What a SIGHUP means. An operator sends it for a reload. The system sends it when the terminal closes that the server was started from:
 * nobody is there any more who wants the server, so it drains.
 *
 * A terminal that has gone answers nothing: what was one at the start is none then. Who starts the server under nohup, by a supervisor, or
 * with all of its three streams elsewhere has no terminal here.
 */
import { isatty } from 'node:tty';

const STANDARD_STREAMS = [0, 1, 2];

export class Terminal {
  readonly #isTerminal: (fd: number) => boolean;
  /** Of the standard streams. */
  readonly #fds: readonly number[];

  constructor(isTerminal: (fd: number) => boolean = isatty) {
    this.#isTerminal = isTerminal;
    this.#fds = STANDARD_STREAMS.filter(isTerminal);
  }

  /** It was there, and is not any more. */
  get hasClosed(): boolean {
    return this.#fds.length > 0 && !this.#fds.some(this.#isTerminal);
  }
}
