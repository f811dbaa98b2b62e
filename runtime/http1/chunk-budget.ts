/**
 * Limits how many small chunks a connection may send. The framing of a chunk costs more than a byte of
 * content: a body in chunks of one byte is six times as long on the wire, and each chunk is read separately.
 *
 * So a chunk spends from the budget, and content refills it. A client that sends `BYTES_OF_A_CHUNK` or more
 * per chunk on average spends nothing. Time refills the budget as well, so that a client that sends what a
 * person types is not treated as an attacker.
 */

export interface ChunkLimit {
  /** Chunks that may come at once. */
  readonly burst: number;
  /** Chunks that the budget regains per second. */
  readonly perSecond: number;
}

/** Content that pays for one chunk. */
const BYTES_OF_A_CHUNK = 4;

export class ChunkBudget {
  readonly #limit: ChunkLimit;
  #left: number;

  constructor(limit: ChunkLimit) {
    this.#limit = limit;
    this.#left = limit.burst;
  }

  /**
   * Called when a chunk begins.
   * @returns false: too many chunks were too small
   */
  spend(): boolean {
    this.#left--;
    return this.#left >= 0;
  }

  /** Called when content has arrived. */
  earn(bytes: number): void {
    this.#left = Math.min(this.#limit.burst, this.#left + bytes / BYTES_OF_A_CHUNK);
  }

  refill(elapsedMs: number): void {
    this.#left = Math.min(this.#limit.burst, this.#left + (elapsedMs * this.#limit.perSecond) / 1_000);
  }
}
