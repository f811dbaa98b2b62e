/**
 * Limits how much of its files a thread reads in one turn of its event loop. A read blocks the thread. So the
 * responses in progress take turns, one piece each, and none waits for another's whole file.
 */

/**
 * A quarter of a millisecond at the speed of memory. More would delay the reactor, which waits for what was
 * read.
 */
export const TURN_BYTES = 262_144;

interface Waiting {
  readonly bytes: number;
  readonly resolve: () => void;
}

export class ReadTurns {
  #leftBytes = TURN_BYTES;
  #isScheduled = false;
  /** The next response to read is first. There is at most one entry for each response in progress. */
  #waiting: Waiting[] = [];
  readonly #schedule: (turn: () => void) => void;
  readonly #turn: () => void;

  /** @param schedule calls back in the next turn of the event loop */
  constructor(schedule: (turn: () => void) => void = setImmediate) {
    this.#schedule = schedule;
    this.#turn = () => this.#runTurn();
  }

  /** Undefined: the piece may be read now. Otherwise it may be read when the promise resolves. */
  enter(bytes: number): Promise<void> | undefined {
    this.#scheduleTurn();
    if (this.#waiting.length === 0 && this.#leftBytes > 0) {
      this.#leftBytes -= bytes;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ bytes, resolve });
    return promise;
  }

  #scheduleTurn(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#turn);
  }

  #runTurn(): void {
    this.#isScheduled = false;
    this.#leftBytes = TURN_BYTES;
    let released = 0;
    for (; released < this.#waiting.length && this.#leftBytes > 0; released++) {
      const { bytes, resolve } = this.#waiting[released] as Waiting;
      this.#leftBytes -= bytes;
      resolve();
    }
    this.#waiting.splice(0, released);
    if (this.#waiting.length > 0) this.#scheduleTurn();
  }
}
