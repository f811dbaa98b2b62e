/** Actors that read streams, some as they should and some not. */
import { type ActorContext, actor } from '../../../workers/actors/actors.ts';
import { Signals } from '../../server/signals.ts';

export class Readers {
  readonly #context: ActorContext;

  constructor(context: ActorContext) {
    this.#context = context;
  }

  /** What it has read, in order. */
  async list(rows: AsyncIterable<unknown>): Promise<unknown[]> {
    const list: unknown[] = [];
    for await (const row of rows) list.push(row);
    return list;
  }

  /** Of two inputs at once. */
  async pairs(
    left: AsyncIterable<unknown>,
    right: AsyncIterable<unknown>,
    label: string,
  ): Promise<unknown[]> {
    const others = right[Symbol.asyncIterator]();
    const list: unknown[] = [label];
    for await (const row of left) list.push([row, (await others.next()).value]);
    return list;
  }

  async first(rows: AsyncIterable<unknown>): Promise<unknown> {
    for await (const row of rows) return row;
    return undefined;
  }

  /** Leaves its input, and goes on until the iterator has been returned. */
  async leaves(rows: AsyncIterable<unknown>, channel: string): Promise<string> {
    const signals = new Signals(channel);
    const returned = signals.until('returned');
    await this.first(rows);
    await returned;
    signals.close();
    return 'went on';
  }

  /** Reads one, then waits for a word. */
  async stops(rows: AsyncIterable<unknown>, channel: string): Promise<string> {
    const iterator = rows[Symbol.asyncIterator]();
    await iterator.next();
    const signals = new Signals(channel);
    const released = signals.until('release');
    signals.tell('reading');
    await released;
    signals.close();
    return this.#context.thread;
  }

  /** Leaves what it is given alone. */
  ignores(_rows: AsyncIterable<unknown>): string {
    return this.#context.thread;
  }

  fails(_rows: AsyncIterable<unknown>): never {
    throw new RangeError('not today');
  }

  /** Tells what its reading ended with. */
  async tellsEnd(rows: AsyncIterable<unknown>, channel: string): Promise<void> {
    const signals = new Signals(channel);
    try {
      for await (const row of rows) signals.tell(`read-${row}`);
      signals.tell('ended-complete');
    } catch (error) {
      signals.tell(`ended-${(error as { code?: string }).code}`);
    }
    setImmediate(() => signals.close());
  }

  /** Reads on after it has answered. */
  async readsLater(rows: AsyncIterable<unknown>, channel: string): Promise<void> {
    const iterator = rows[Symbol.asyncIterator]();
    await iterator.next();
    void this.#readOn(iterator, channel);
  }

  async #readOn(iterator: AsyncIterator<unknown>, channel: string): Promise<void> {
    const signals = new Signals(channel);
    try {
      for (;;) if ((await iterator.next()).done) break;
      signals.tell('later-complete');
    } catch (error) {
      signals.tell(`later-${(error as { code?: string }).code}`);
    }
    setImmediate(() => signals.close());
  }

  /** A stream out of a stream. */
  async *mirrored(rows: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    yield* rows;
  }

  /** Through another thread, with all that this one may have under way. */
  async *relayed(rows: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    yield* actor<typeof Readers>('readers').mirrored(rows);
  }

  async dies(rows: AsyncIterable<unknown>): Promise<void> {
    await rows[Symbol.asyncIterator]().next();
    process.exit(7);
  }
}
