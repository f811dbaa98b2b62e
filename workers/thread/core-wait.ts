/**
 * How long the thread has waited for a core: on a busy machine what it computes takes longer by the clock, which says nothing of the work.
 * Linux counts it. Elsewhere nothing is known, and time by the clock is what there is.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Nanoseconds on a core, nanoseconds ready and waiting for one, and how often it had one (proc_pid_schedstat(5)). */
const FILE = '/proc/thread-self/schedstat';
/** A reading costs some microseconds. */
const READ_EVERY_MS = 1;

export class CoreWait {
  readonly #bytes = Buffer.alloc(80);
  /** -1: nothing is known. */
  #file = open();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #waitedUs = 0;

  /** Between this and what is asked about lies little. Reads once a millisecond at most. */
  mark(nowMs: number): void {
    if (nowMs - this.#readAtMs >= READ_EVERY_MS) this.sinceMark(nowMs);
  }

  /** Microseconds of waiting since the last reading: as much as something that began since then has waited, or little more. */
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
      // An application has closed what it does not own.
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
    // Another system, or a sandbox without it.
    return -1;
  }
}
