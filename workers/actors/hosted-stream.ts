/**
 * A streamed answer at the thread that gives it: the generator is asked for the next item only against credit, so what its reader has not
 * taken is bounded, and a generator whose reader has gone is returned.
 */
import type { HostedCall } from './hosted-call.ts';

export interface StreamOwner {
  /** False: the value cannot be carried, and the stream has ended for it. */
  sendItem(call: HostedCall, value: unknown): boolean;
  endStream(call: HostedCall): void;
  failStream(call: HostedCall, error: unknown): void;
  /** Whether what goes on has lasted long enough: the rest in the next turn. */
  readonly isLate: boolean;
  setTimer(callback: () => void, afterMs: number): object;
  clearTimer(timer: object): void;
}

export class HostedStream {
  readonly #call: HostedCall;
  readonly #owner: StreamOwner;
  readonly #items: AsyncIterator<unknown>;
  #credit: number;
  #state: 'idle' | 'asking' | 'returning' | 'over' = 'idle';

  constructor(call: HostedCall, owner: StreamOwner, items: AsyncIterator<unknown>, credit: number) {
    this.#call = call;
    this.#owner = owner;
    this.#items = items;
    this.#credit = credit;
  }

  grant(items: number): void {
    this.#credit += items;
    this.ask();
  }

  /** Asks for the next item, when there is credit and nothing has been asked. */
  ask(): void {
    if (this.#state !== 'idle' || this.#credit <= 0) return;
    this.#state = 'asking';
    if (this.#owner.isLate) setImmediate(() => this.#next());
    else this.#next();
  }

  #next(): void {
    if (this.#state !== 'asking') return;
    this.#call
      .within(() => this.#items.next())
      .then(
        ({ done, value }) => this.#answered(done === true, value),
        (error: unknown) => this.#over(() => this.#owner.failStream(this.#call, error)),
      );
  }

  #answered(isDone: boolean, value: unknown): void {
    if (this.#state !== 'asking') return;
    if (isDone) {
      this.#over(() => this.#owner.endStream(this.#call));
      return;
    }
    this.#credit--;
    if (!this.#owner.sendItem(this.#call, value)) {
      this.#state = 'over';
      this.#return();
      return;
    }
    this.#state = 'idle';
    this.ask();
  }

  /** Nobody reads it any more. It is over when the generator has run its `finally`, and at the latest when the grace is over. */
  giveUp(graceMs: number): void {
    if (this.#state === 'returning' || this.#state === 'over') return;
    this.#state = 'returning';
    const timer = this.#owner.setTimer(() => this.#over(() => this.#owner.endStream(this.#call)), graceMs);
    this.#return().finally(() => {
      this.#owner.clearTimer(timer);
      this.#over(() => this.#owner.endStream(this.#call));
    });
  }

  /** Behind what the generator waits for: one that does not look at `call.signal` may never come to its `finally`. Never rejects. */
  async #return(): Promise<void> {
    try {
      await this.#call.within(() => this.#items.return?.());
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
