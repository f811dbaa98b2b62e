/** A response body as a ReadableStream, written piece by piece: a write resolves when its piece has been taken. */

export class PipedBody {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** Resolves at the next pull. */
  #pulled: PromiseWithResolvers<void> | null = null;
  #wanted = 0;
  #cancelled: { readonly reason: unknown } | null = null;

  /** @param onPull is called when somebody begins to read */
  constructor(onPull: () => void) {
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
        cancel: (reason) => {
          onPull();
          this.#cancelled = { reason };
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
    // Writes that are not waited for come to their turn one after the other.
    while (this.#wanted === 0 && this.#cancelled === null) {
      this.#pulled ??= Promise.withResolvers();
      await this.#pulled.promise;
      this.#pulled = null;
    }
    if (this.#cancelled !== null) {
      throw this.#cancelled.reason ?? new DOMException('the body’s reader has cancelled it', 'AbortError');
    }
    this.#wanted--;
    if (chunk.length > 0) this.#controller?.enqueue(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }

  end(): void {
    if (this.#cancelled === null) this.#controller?.close();
  }

  error(error: unknown): void {
    if (this.#cancelled === null) this.#controller?.error(error);
  }
}
