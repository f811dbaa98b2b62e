/**
 * A streamed input in the thread whose method reads it. It requests nothing from the caller until the method reads,
 * so a call that waits, or that moves to another thread, has no items in flight.
 */
import { ReadStream, type StreamSource } from './read-stream.ts';

export class HostedInput implements StreamSource {
  readonly stream: ReadStream;
  readonly #want: (items: number) => void;
  readonly #ended = Promise.withResolvers<unknown>();
  #state: 'open' | 'over' = 'open';

  /** @param want tells the caller how many items more are taken; 0: none any more */
  constructor(want: (items: number) => void, window: number) {
    this.#want = want;
    this.stream = new ReadStream((stream) => {
      stream.opened(this);
      this.pull(window);
      return this.#ended.promise;
    }, window);
    // The method need not read it.
    this.#ended.promise.catch(() => undefined);
  }

  /** The caller has sent another item. */
  item(value: unknown): void {
    if (this.#state === 'open') this.stream.item(value);
  }

  /** No more items arrive, and no message may be sent to the caller. @param failure null: the input is complete */
  end(failure: { readonly error: unknown } | null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (failure === null) this.#ended.resolve(undefined);
    else this.#ended.reject(failure.error);
  }

  pull(items: number): void {
    if (this.#state === 'open') this.#want(items);
  }

  giveUp(): void {
    this.#leave(null);
  }

  /** An item cannot be decoded. */
  giveUpFor(error: unknown): void {
    this.#leave({ error });
  }

  #leave(failure: { readonly error: unknown } | null): void {
    if (this.#state !== 'open') return;
    this.#want(0);
    this.end(failure);
  }
}
