/**
 * How a test and the applications in the threads wait for one another: words on a channel that every thread of the
 * process hears. Tests are ordered by what has happened, never by time.
 *
 * A word that was told before the other side listened is not heard, so the side that waits starts to listen first: the
 * test before it sends a request, an application before it says that it has begun.
 */
import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';

/** The request field that tells an application which channel its test listens to. */
export const SIGNALS_FIELD = 'x-signals';

interface Waiting {
  readonly word: string;
  readonly times: number;
  readonly resolve: () => void;
}

export class Signals {
  readonly name: string;
  readonly #channel: BroadcastChannel;
  readonly #heard = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor(name: string) {
    this.name = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (message) => this.#hear((message as { data: unknown }).data as string);
  }

  tell(word: string): void {
    this.#channel.postMessage(word);
  }

  /** How often the word has been told by others. */
  heard(word: string): number {
    return this.#heard.get(word) ?? 0;
  }

  /** Resolves when the word has been told so often in all. */
  until(word: string, times = 1): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ word, times, resolve });
    this.#settle();
    return promise;
  }

  /** Holds the whole thread, as a long computation does, until the word is told. */
  blockUntil(word: string): void {
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (this.heard(word) === 0) {
      // Node takes a BroadcastChannel here as well; its types do not say so.
      const received = receiveMessageOnPort(this.#channel as unknown as MessagePort);
      if (received !== undefined) this.#hear(received.message as string);
      // Gives the core away; nothing in the test depends on how long.
      else Atomics.wait(never, 0, 0, 1);
    }
  }

  close(): void {
    this.#channel.close();
  }

  #hear(word: string): void {
    this.#heard.set(word, this.heard(word) + 1);
    this.#settle();
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ word, times, resolve }) => {
      if (this.heard(word) < times) return true;
      resolve();
      return false;
    });
  }
}
