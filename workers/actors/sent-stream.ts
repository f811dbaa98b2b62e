/**
 * A stream, a reply or an input, in the thread that sends it. It asks its iterator for the next item only if it has credit, so the number
 * of items that the reader has not taken is bounded. If the reader leaves, it returns the iterator.
 */
import { nameOf } from '../exchange/values.ts';

/** The destination of the items. */
export interface StreamSink {
  /** False: the value cannot be carried, and the stream has ended for it. */
  item(value: unknown): boolean;
  end(): void;
  fail(error: unknown): void;
  /** Runs the iterator's methods in the context of whoever made it. */
  within<R>(run: () => R): R;
  /** Whether the current turn has lasted long enough, so that the rest waits for the next one. */
  readonly isLate: boolean;
  setTimer(callback: () => void, afterMs: number): object;
  clearTimer(timer: object): void;
}

export class SentStream {
  readonly #sink: StreamSink;
  readonly #items: AsyncIterator<unknown>;
  #credit: number;
  #state: 'idle' | 'asking' | 'returning' | 'over' = 'idle';

  constructor(sink: StreamSink, items: AsyncIterator<unknown>, credit: number) {
    this.#sink = sink;
    this.#items = items;
    this.#credit = credit;
  }

  /** Asks for the first item at once: a generator begins with it, and calls begin in order. */
  begin(): void {
    this.#state = 'asking';
    this.#next();
  }

  grant(items: number): void {
    this.#credit += items;
    this.ask();
  }

  /** Asks for the next item, when there is credit and nothing has been asked. */
  ask(): void {
    if (this.#state !== 'idle' || this.#credit <= 0) return;
    this.#state = 'asking';
    if (this.#sink.isLate) setImmediate(() => this.#next());
    else this.#next();
  }

  #next(): void {
    if (this.#state === 'asking') void this.#take();
  }

  /** An iterator that somebody has written by hand may throw at once, return no promise, or give a result whose reading throws. */
  async #take(): Promise<void> {
    let isDone: boolean;
    let value: unknown;
    try {
      const result: unknown = await this.#sink.within(() => this.#items.next());
      if (typeof result !== 'object' || result === null) {
        throw new TypeError(`expected the result of an iterator, an object, got ${nameOf(result)}`);
      }
      isDone = Boolean((result as IteratorResult<unknown>).done);
      if (!isDone) value = (result as IteratorResult<unknown>).value;
    } catch (error) {
      this.#over(() => this.#sink.fail(error));
      return;
    }
    this.#came(isDone, value);
  }

  #came(isDone: boolean, value: unknown): void {
    if (this.#state !== 'asking') return;
    if (isDone) {
      this.#over(() => this.#sink.end());
      return;
    }
    this.#credit--;
    if (this.#sink.item(value)) {
      this.#state = 'idle';
      this.ask();
      return;
    }
    if (!this.#isAsking) return;
    this.#state = 'over';
    void this.#return();
  }

  /** Whether the sink has left the stream as it was. */
  get #isAsking(): boolean {
    return this.#state === 'asking';
  }

  /** The reader has left. The stream is over when the iterator has returned, at the latest after the grace period. */
  giveUp(graceMs: number): void {
    if (this.#state === 'returning' || this.#state === 'over') return;
    this.#state = 'returning';
    const timer = this.#sink.setTimer(() => this.#over(() => this.#sink.end()), graceMs);
    void this.#return().finally(() => {
      this.#sink.clearTimer(timer);
      this.#over(() => this.#sink.end());
    });
  }

  /** Behind what the generator waits for: one that does not look at `call.signal` may never come to its `finally`. Never rejects. */
  async #return(): Promise<void> {
    try {
      await this.#sink.within(() => this.#items.return?.());
    } catch {
      // What it throws while it ends is for nobody: its reader has gone, or has been told of something else.
    }
  }

  #over(tell: () => void): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    tell();
  }
}
