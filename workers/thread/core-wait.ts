/**
 * How long the thread has waited for a core. On a busy machine, computing takes longer by the clock, although
 * the work is the same. Linux counts the time of waiting. On other systems it is unknown, and only the time
 * by the clock is available.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The file contains nanoseconds on a core, nanoseconds ready and waiting for one, and the number of times the
 * thread got one (proc_pid_schedstat(5)).
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

  /** Call this shortly before the measured code. It reads the file at most once a millisecond. */
  mark(nowMs: number): void {
    if (nowMs - this.#readAtMs >= READ_EVERY_MS) this.sinceMark(nowMs);
  }

  /**
   * Microseconds of waiting since the last reading. Code that began after it has waited for nearly all of
   * that time.
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
    // The system is not Linux, or a sandbox hides the file.
    return -1;
  }
}
