/** Messages that wait for the application, and the application that waits for them. */
import { WebSocketError, WebSocketErrorCode } from './errors.ts';

export type Message = string | Uint8Array;
type Result = IteratorResult<Message, undefined>;

const DONE: Result = Object.freeze({ value: undefined, done: true });
/** What a message costs beyond its bytes: an empty one must not be free. */
const OVERHEAD_BYTES = 64;

export class MessageQueue {
  readonly #limitBytes: number;
  #messages: Message[] = [];
  #next = 0;
  #bytes = 0;
  #state: 'open' | 'ended' = 'open';
  /** The application has a message and has not come back for the next. */
  #isHandling = false;
  #onRead: (() => void) | null = null;
  #reader: ((result: Result) => void) | null = null;
  #writer: (() => void) | null = null;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Somebody waits in `room`: the application is behind. */
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

  /** Resolves when there is room for more, or nothing more is wanted; null when that is now. */
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

  /** No more come; what waits can still be read. Idempotent. */
  end(): void {
    this.#state = 'ended';
    this.#reader?.(DONE);
    this.#reader = null;
    this.#release();
  }

  /** Calls back when the application has read and handled everything that came; at once, when it has already. */
  whenRead(callback: () => void): void {
    this.#onRead = callback;
    if (this.#next === this.#messages.length && !this.#isHandling) this.#tellRead();
  }

  /** The application reads no more. */
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
