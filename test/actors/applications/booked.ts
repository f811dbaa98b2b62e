/** Counters whose book is shared memory, so that what two instances of one key do to it can be seen. */
import { getEnvironmentData } from 'node:worker_threads';
import type { Book } from '../book.ts';
import { bookOf } from '../book.ts';

const book: Book = bookOf(getEnvironmentData('sluice-book') as unknown as SharedArrayBuffer);

export class Booked {
  readonly #key: number;
  #running = 0;

  constructor(key: string, _context: unknown) {
    this.#key = Number(key);
  }

  async start(): Promise<void> {
    if (Atomics.add(book.instances, this.#key, 1) > 0) Atomics.add(book.faults, 0, 1);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async stop(): Promise<void> {
    if (this.#running > 0) Atomics.add(book.faults, 2, 1);
    // The next instance has it all to wait for.
    await new Promise((resolve) => setTimeout(resolve, 5));
    Atomics.sub(book.instances, this.#key, 1);
  }

  /** @param sequence counts what this caller has sent for this key. @returns how many this key has taken, whatever instance did */
  async record(caller: number, sequence: number): Promise<number> {
    this.#running++;
    const count = Atomics.load(book.counts, this.#key);
    const at = caller * book.keys + this.#key;
    if (Atomics.load(book.sequences, at) + 1 !== sequence) Atomics.add(book.faults, 1, 1);
    Atomics.store(book.sequences, at, sequence);
    // Another that ran meanwhile would be lost.
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    Atomics.store(book.counts, this.#key, count + 1);
    this.#running--;
    return count + 1;
  }
}
