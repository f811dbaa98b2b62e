/**
 * A stream, a reply or an input, in the thread that reads it. It begins with the first read. Items that the reader takes grant credit for
 * more. A reader that leaves, by `break` or an error, gives the stream up.
 */

import { ReusedMemory } from './reused-memory.ts';

/** The source of the items. */
export interface StreamSource {
  pull(items: number): void;
  giveUp(): void;
}

interface Waiting {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE = { done: true, value: undefined } as const;

export class ReadStream implements AsyncIterableIterator<unknown, undefined> {
  /** Null: each item has memory of its own. */
  memory: ReusedMemory | null = null;
  readonly #begin: (stream: ReadStream) => Promise<unknown>;
  /** How many items are granted at a time: half of those that may be in flight. */
  readonly #grantFrom: number;
  readonly #items: unknown[] = [];
  readonly #waiting: Waiting[] = [];
  #taken = 0;
  #source: StreamSource | null = null;
  #state: 'new' | 'open' | 'ended' = 'new';
  /** How the stream ended, reported once, after the items. */
  #failure: { readonly error: unknown } | null = null;

  /** @param begin starts the stream; its promise settles when the stream ends */
  constructor(begin: (stream: ReadStream) => Promise<unknown>, window: number) {
    this.#begin = begin;
    this.#grantFrom = Math.max(1, window >> 1);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** True if the source can take credit. */
  opened(source: StreamSource): void {
    this.#source = source;
  }

  /** With `reuseMemory` an item is valid until the next one is requested. */
  reuseMemory(): void {
    this.memory = new ReusedMemory();
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#state === 'new') this.#open();
    this.memory?.takeBack();
    if (this.#items.length > 0) {
      const value = this.#items.shift();
      this.memory?.lend(value);
      this.#take();
      return Promise.resolve({ done: false, value });
    }
    if (this.#state === 'ended') {
      const failure = this.#failure;
      this.#failure = null;
      return failure === null ? Promise.resolve(DONE) : Promise.reject(failure.error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    const isOpen = this.#state === 'open';
    this.#failure = null;
    this.#items.length = 0;
    this.#end(null);
    if (isOpen) this.#source?.giveUp();
    return Promise.resolve(DONE);
  }

  #open(): void {
    this.#state = 'open';
    this.#begin(this).then(
      () => this.#end(null),
      (error: unknown) => this.#end({ error }),
    );
  }

  item(value: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#items.push(value);
      return;
    }
    this.memory?.lend(value);
    this.#take();
    waiting.resolve({ done: false, value });
  }

  #take(): void {
    this.#taken++;
    if (this.#taken < this.#grantFrom || this.#state !== 'open') return;
    this.#source?.pull(this.#taken);
    this.#taken = 0;
  }

  #end(failure: { readonly error: unknown } | null): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    const [first, ...others] = this.#waiting.splice(0);
    if (first === undefined) this.#failure = failure;
    else if (failure === null) first.resolve(DONE);
    else first.reject(failure.error);
    for (const { resolve } of others) resolve(DONE);
  }
}
