/** The actors of the bench. */
import { CHUNK_BYTES, handle, type Order, type Receipt } from './work.ts';

export class Till {
  handle(order: Order): Receipt {
    return handle(order);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(CHUNK_BYTES).fill(7);
    for (;;) yield chunk;
  }
}

/** Counts the messages to one key, and those that arrive out of order. */
export class Counted {
  #n = 0;
  #faults = 0;

  // biome-ignore lint/complexity/noUselessConstructor: a key makes it a keyed actor
  constructor(_key: string, _context: unknown) {}

  next(sequence: number): void {
    if (sequence !== this.#n + 1) this.#faults++;
    this.#n = sequence;
  }

  sum(): { n: number; faults: number } {
    return { n: this.#n, faults: this.#faults };
  }
}
