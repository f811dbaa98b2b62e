/** Messages that wait for the application, and an application that waits for messages. */
import { WebSocketError, WebSocketErrorCode } from './errors.ts';

export type Message = string | Uint8Array;
type Result = IteratorResult<Message, undefined>;

const DONE: Result = Object.freeze({ value: undefined, done: true });
/** What a message costs in addition to its bytes: an empty one must not be free. */
const OVERHEAD_BYTES = 64;

export class MessageQueue {
  readonly #limitBytes: number;
  #messages: Message[] = [];
  #next = 0;
  #bytes = 0;
  #state: 'open' | 'ended' = 'open';
  /** The application has a message and has not asked for the next one. */
  #isHandling = false;
  #onRead: (() => void) | null = null;
  #reader: ((result: Result) => void) | null = null;
  #writer: (() => void) | null = null;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** True if a caller of `room` must wait: the application is behind. */
  get isFull(): boolean {
    return this.#bytes >= this.#limitBytes;
  }

  push(message: Message): void {
    if (this.#state === 'ended') return;
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      this.#isHandling = true;
      reader({ value: message, done: false });
      return;
    }
    this.#messages.push(message);
    this.#bytes += costOf(message);
  }

  /** Resolves when there is room for more, or when no more is wanted; null if that is so now. */
  room(): Promise<void> | null {
    if (!this.isFull || this.#state === 'ended') return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writer = resolve;
    return promise;
  }

  next(): Promise<Result> {
    if (this.#reader !== null) {
      return Promise.reject(
        new WebSocketError(WebSocketErrorCode.ReaderBusy, 'one reader at a time', 'a second pull'),
      );
    }
    this.#isHandling = false;
    if (this.#next < this.#messages.length) {
      this.#isHandling = true;
      const value = this.#messages[this.#next++];
      this.#bytes -= costOf(value);
      if (this.#next === this.#messages.length) {
        this.#messages = [];
        this.#next = 0;
      }
      if (!this.isFull) this.#release();
      return Promise.resolve({ value, done: false });
    }
    if (this.#state === 'ended') {
      this.#tellRead();
      return Promise.resolve(DONE);
    }
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#reader = resolve;
    return promise;
  }

  /** No more messages follow; those that wait can still be read. Idempotent. */
  end(): void {
    this.#state = 'ended';
    this.#reader?.(DONE);
    this.#reader = null;
    this.#release();
  }

  /** Calls back when the application has read and handled every message; at once if it already has. */
  whenRead(callback: () => void): void {
    this.#onRead = callback;
    if (this.#next === this.#messages.length && !this.#isHandling) this.#tellRead();
  }

  /** The application has stopped reading. */
  leave(): void {
    this.#isHandling = false;
    this.#tellRead();
  }

  #tellRead(): void {
    const onRead = this.#onRead;
    this.#onRead = null;
    onRead?.();
  }

  #release(): void {
    this.#writer?.();
    this.#writer = null;
  }
}

function costOf(message: Message): number {
  return message.length + OVERHEAD_BYTES;
}
