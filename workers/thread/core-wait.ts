/**
 * How long the thread has waited for a core. On a busy machine, computing takes longer by the clock, which
 * says nothing of the work. Linux counts the wait. Elsewhere it is unknown, and only the time by the clock is
 * there.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Nanoseconds on a core, nanoseconds ready and waiting for one, and how often the thread had one
 * (proc_pid_schedstat(5)).
 */
const FILE = '/proc/thread-self/schedstat';
/** A reading costs some microseconds. */
const READ_EVERY_MS = 1;

export class CoreWait {
  readonly #bytes = Buffer.alloc(80);
  /** -1: unknown. */
  #file = open();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #waitedUs = 0;

  /** Little time passes between this and the code that is measured. Reads once a millisecond at most. */
  mark(nowMs: number): void {
    if (nowMs - this.#readAtMs >= READ_EVERY_MS) this.sinceMark(nowMs);
  }

  /**
   * Microseconds of waiting since the last reading. Code that began since then has waited as long, or hardly
   * less.
   */
  sinceMark(nowMs: number): number {
    if (this.#file === -1) return 0;
    const before = this.#waitedUs;
    this.#readAtMs = nowMs;
    this.#waitedUs = this.#read();
    return this.#waitedUs - before;
  }

  #read(): number {
    try {
      const length = readSync(this.#file, this.#bytes, 0, this.#bytes.length, 0);
      const waitedUs = Number(this.#bytes.toString('latin1', 0, length).split(' ')[1]) / 1_000;
      if (waitedUs >= this.#waitedUs) return waitedUs;
    } catch {
      // An application has closed a descriptor that it does not own.
    }
    this.#file = -1;
    return this.#waitedUs;
  }

  close(): void {
    if (this.#file !== -1) closeSync(this.#file);
    this.#file = -1;
  }
}

function open(): number {
  try {
    return openSync(FILE, 'r');
  } catch {
    // Another system, or a sandbox without the file.
    return -1;
  }
}
