/** Actors that write into a book, which the test has opened before the threads began, what became of each message. */
import { getEnvironmentData } from 'node:worker_threads';
import { Mark, type Marks } from '../ledger.ts';

const marks = new Int32Array(getEnvironmentData('sluice-ledger') as unknown as SharedArrayBuffer) as Marks;

function mark(message: number, what: Mark): void {
  Atomics.add(marks, 2 * message + what, 1);
}

export class Kept {
  async handle(message: number): Promise<number> {
    mark(message, Mark.Begun);
    await new Promise((resolve) => setImmediate(resolve));
    mark(message, Mark.Ended);
    return message;
  }

  async *count(message: number, to: number): AsyncGenerator<number> {
    mark(message, Mark.Begun);
    for (let n = 0; n < to; n++) {
      if (n % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
      yield n;
    }
    mark(message, Mark.Ended);
  }

  async sum(rows: AsyncIterable<number>, message: number): Promise<number> {
    mark(message, Mark.Begun);
    let total = 0;
    for await (const row of rows) total += row;
    mark(message, Mark.Ended);
    return total;
  }
}

export class KeptByKey extends Kept {
  constructor(_key: string, _context: unknown) {
    super();
  }
}
