/**
 * The request's content on the application's side: pieces that have crossed the ring and wait to be pulled.
 * It holds at most the window that it granted, because nothing crosses without credit.
 */

import type { ExchangeBody } from '../gateway.ts';
import { HostError } from './errors.ts';
import { wholeBody } from './whole-body.ts';

/** How a body tells its exchange what to grant. The exchange turns that into CREDIT messages. */
export interface CreditSink {
  /**
   * The application reads: `granted` more bytes may cross, and `consumed` bytes of earlier grants have been
   * read.
   */
  credit(granted: number, consumed: number): void;
}

type Result = IteratorResult<Uint8Array, undefined>;

const DONE: Result = Object.freeze({ value: undefined, done: true });

export class RequestBody implements ExchangeBody, AsyncIterator<Uint8Array, undefined> {
  readonly #sink: CreditSink;
  readonly #windowBytes: number;
  #pieces: Uint8Array[] = [];
  #next = 0;
  /**
   * `idle`: the application has not read yet. `reading`: it has. `ended`: the last piece has arrived. `cut`:
   * the exchange was reset.
   */
  #state: 'idle' | 'reading' | 'ended' | 'cut';
  #taken = false;
  #error: Error | null = null;
  /**
   * Size of the piece that the application holds. It counts as consumed when the application asks for the
   * next piece.
   */
  #heldBytes = 0;
  #waiting: { resolve: (result: Result) => void; reject: (error: Error) => void } | null = null;

  constructor(sink: CreditSink, windowBytes: number, ended: boolean) {
    this.#sink = sink;
    this.#windowBytes = windowBytes;
    this.#state = ended ? 'ended' : 'idle';
  }

  get isAtEnd(): boolean {
    return this.#state === 'ended' && this.#next === this.#pieces.length;
  }

  /** Adds bytes that have arrived through the ring. The body owns them from now on. */
  push(bytes: Uint8Array): void {
    if (this.#state === 'cut') return;
    const waiting = this.#waiting;
    if (waiting === null) {
      this.#pieces.push(bytes);
      return;
    }
    this.#waiting = null;
    this.#heldBytes = bytes.length;
    waiting.resolve({ value: bytes, done: false });
  }

  end(): void {
    if (this.#state === 'cut') return;
    this.#state = 'ended';
    this.#endPull();
  }

  cut(error: Error): void {
    if (this.#state === 'cut' || (this.#state === 'ended' && this.#next === this.#pieces.length)) return;
    this.#state = 'cut';
    this.#error = error;
    this.#pieces = [];
    this.#next = 0;
    this.#endPull();
  }

  #endPull(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    if (this.#error !== null) waiting.reject(this.#error);
    else waiting.resolve(DONE);
  }

  next(): Promise<Result> {
    if (this.#waiting !== null) {
      return Promise.reject(
        new HostError('SLUICE_BODY_USED', 'expected one reader, the body has a pull pending'),
      );
    }
    const consumed = this.#heldBytes;
    this.#heldBytes = 0;
    if (this.#state === 'idle') {
      this.#state = 'reading';
      this.#sink.credit(this.#windowBytes, 0);
    } else if (consumed > 0) {
      this.#sink.credit(consumed, consumed);
    }
    if (this.#next < this.#pieces.length) {
      const value = this.#pieces[this.#next++] as Uint8Array;
      if (this.#next === this.#pieces.length) {
        this.#pieces = [];
        this.#next = 0;
      }
      this.#heldBytes = value.length;
      return Promise.resolve({ value, done: false });
    }
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#state === 'ended') return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Leaving a loop early stops the reading: no further credit is granted. */
  return(): Promise<Result> {
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#taken)
      throw new HostError('SLUICE_BODY_USED', 'expected one reading of the body, this is the second');
    this.#taken = true;
    return this;
  }

  bytes(limitBytes?: number): Promise<Uint8Array<ArrayBuffer>> {
    return wholeBody(this, limitBytes);
  }

  async text(limitBytes?: number): Promise<string> {
    return new TextDecoder().decode(await this.bytes(limitBytes));
  }
}
