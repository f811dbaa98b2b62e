/**
 * Tells monitors on every thread of the process that there may be something new. It carries no message,
 * because the database has the data. A lost or repeated ring costs at most one more look.
 */
export class Bell {
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #channel: BroadcastChannel;

  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event) => this.#wake(String((event as { data: unknown }).data));
    // It must not keep a thread alive that has nothing else to do.
    (this.#channel as unknown as { unref(): void }).unref();
  }

  ring(...ids: string[]): void {
    for (const id of ids) {
      this.#wake(id);
      this.#channel.postMessage(id);
    }
  }

  /** @returns a function that stops listening */
  listen(id: string, heard: () => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(heard));
    return () => {
      listeners.delete(heard);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }

  close(): void {
    this.#channel.close();
  }

  #wake(id: string): void {
    for (const heard of this.#listeners.get(id) ?? []) heard();
  }
}
