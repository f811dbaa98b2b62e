/**
 * How many small chunks a connection may send. Framing costs more than a byte of content does: a body in chunks of one byte is six times
 * as long on the wire, and each chunk is read by itself. So chunks spend, and content earns: who sends `BYTES_OF_A_CHUNK` or more in each
 * on average never spends anything. It refills with time, so that a client which sends what somebody types is no attacker.
 */

export interface ChunkLimit {
  /** How many may come at once. */
  readonly burst: number;
  /** How many more each second. */
  readonly perSecond: number;
}

/** Content that earns a chunk. */
const BYTES_OF_A_CHUNK = 4;

export class ChunkBudget {
  readonly #limit: ChunkLimit;
  #left: number;

  constructor(limit: ChunkLimit) {
    this.#limit = limit;
    this.#left = limit.burst;
  }

  /** A chunk begins. @returns false: there have been too many that were too small */
  spend(): boolean {
    this.#left--;
    return this.#left >= 0;
  }

  /** Content has come. */
  earn(bytes: number): void {
    this.#left = Math.min(this.#limit.burst, this.#left + bytes / BYTES_OF_A_CHUNK);
  }

  refill(elapsedMs: number): void {
    this.#left = Math.min(this.#limit.burst, this.#left + (elapsedMs * this.#limit.perSecond) / 1_000);
  }
}
