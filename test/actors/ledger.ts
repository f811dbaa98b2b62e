/** A book in shared memory: how often each message has begun and ended, whatever became of the threads. */

export const Mark = { Begun: 0, Ended: 1 } as const;
export type Mark = (typeof Mark)[keyof typeof Mark];
export type Marks = Int32Array<SharedArrayBuffer>;

export class Ledger {
  readonly memory: SharedArrayBuffer;
  readonly #marks: Marks;
  #messages = 0;

  constructor(most: number) {
    this.memory = new SharedArrayBuffer(most * 8);
    this.#marks = new Int32Array(this.memory);
  }

  get messages(): number {
    return this.#messages;
  }

  /** The number of a message that is to be sent. */
  next(): number {
    return this.#messages++;
  }

  begun(message: number): number {
    return Atomics.load(this.#marks, 2 * message + Mark.Begun);
  }

  ended(message: number): number {
    return Atomics.load(this.#marks, 2 * message + Mark.Ended);
  }
}
