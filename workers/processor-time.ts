/**
 * How much of a core the thread has had: what it computes takes longer by the clock where others have the core meanwhile, and that
 * says nothing of the work.
 */

/** Node 22 cannot say. */
const usage = process.threadCpuUsage as typeof process.threadCpuUsage | undefined;

/** A reading costs about a microsecond. */
const READ_EVERY_MS = 1;

export class ProcessorTime {
  #readAtMs = Number.NEGATIVE_INFINITY;
  #us = 0;

  /** Called at points between which nothing is measured; reads once a millisecond at most. */
  mark(nowMs: number): void {
    if (usage !== undefined && nowMs - this.#readAtMs >= READ_EVERY_MS) this.#read(usage, nowMs);
  }

  /** What has been used since the last mark that was read, or the call before: no more than what it is asked about took. Microseconds. */
  sinceMark(nowMs: number): number {
    if (usage === undefined) return Number.POSITIVE_INFINITY;
    const before = this.#us;
    this.#read(usage, nowMs);
    return this.#us - before;
  }

  #read(read: typeof process.threadCpuUsage, nowMs: number): void {
    const { user, system } = read();
    this.#us = user + system;
    this.#readAtMs = nowMs;
  }
}
