/** A response body as a ReadableStream. A write resolves when the reader has pulled its piece. */
import { ExchangeClosedError } from '../../exchange/errors.ts';

const CANCEL = 0x8;

export class PipedBody {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** Resolves at the next pull. */
  #pulled: PromiseWithResolvers<void> | null = null;
  #wanted = 0;
  #isCancelled = false;

  /** @param onPull is called at each pull, and when the stream is cancelled. @param onCancel is called when it is cancelled */
  constructor(onPull: () => void, onCancel: () => void) {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          onPull();
          this.#wanted++;
          this.#pulled?.resolve();
        },
        cancel: () => {
          onPull();
          this.#isCancelled = true;
          onCancel();
          this.#pulled?.resolve();
        },
      },
      { highWaterMark: 0 },
    );
  }

  get room(): number {
    return this.#wanted > 0 ? 65_536 : 0;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    // A stream that is pulled and given nothing is not pulled again.
    if (chunk.length === 0) return;
    // Several writes may wait here; each pull lets one of them go on.
    while (this.#wanted === 0 && !this.#isCancelled) {
      this.#pulled ??= Promise.withResolvers();
      await this.#pulled.promise;
      this.#pulled = null;
    }
    if (this.#isCancelled) throw new ExchangeClosedError({ by: 'peer', how: 'reset', code: CANCEL });
    this.#wanted--;
    this.#controller?.enqueue(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }

  end(): void {
    if (!this.#isCancelled) this.#controller?.close();
  }

  error(error: unknown): void {
    if (!this.#isCancelled) this.#controller?.error(error);
  }
}
