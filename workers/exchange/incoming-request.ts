/**
 * What an exchange receives after its request's head: content and trailers, and the credit that it owes the
 * reactor for them. Most requests are complete with their head and have no such object.
 */
import { ReceivedFields } from '../fields/received.ts';
import type { Fields } from '../gateway.ts';
import { type CreditSink, RequestBody } from './request-body.ts';

export const EMPTY_FIELDS: Fields = new ReceivedFields(Object.freeze([]) as readonly string[]);

/** The exchange that the request belongs to. */
export interface Receiver {
  /** The reactor holds the slot, so credit can be sent. */
  readonly isOpen: boolean;
  /**
   * The exchange owes credit. The credit is sent once it is much, or at the latest before the thread sleeps.
   */
  onOwing(): void;
  onRequestEnded(): void;
}

export class IncomingRequest implements CreditSink {
  readonly #receiver: Receiver;
  readonly #windowBytes: number;
  #state: 'open' | 'ended' | 'cut' = 'open';
  /** Why the request was cut; null: it was not. */
  #error: Error | null = null;
  #owedGranted = 0;
  #owedConsumed = 0;
  #body: RequestBody | null = null;
  #trailerFields: Fields = EMPTY_FIELDS;
  #trailers: PromiseWithResolvers<Fields> | null = null;

  /** @param windowBytes the credit that an application grants by reading */
  constructor(receiver: Receiver, windowBytes: number) {
    this.#receiver = receiver;
    this.#windowBytes = windowBytes;
  }

  /** More of the request may come. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  // ---- to the application

  get body(): RequestBody {
    this.#body ??= this.#makeBody();
    return this.#body;
  }

  #makeBody(): RequestBody {
    const body = new RequestBody(this, this.#windowBytes, this.#state === 'ended');
    if (this.#error !== null) body.cut(this.#error);
    return body;
  }

  get trailers(): Promise<Fields> {
    if (this.#trailers === null) {
      this.#trailers = Promise.withResolvers();
      // An application need not look at this promise: the body and the signal report a cut request, too.
      this.#trailers.promise.catch(() => undefined);
      if (this.#state === 'ended') this.#trailers.resolve(this.#trailerFields);
      else if (this.#error !== null) this.#trailers.reject(this.#error);
    }
    return this.#trailers.promise;
  }

  // ---- from the reactor

  onData(bytes: Uint8Array, end: boolean): void {
    if (this.#state !== 'open') return;
    if (bytes.length > 0) this.body.push(bytes);
    if (end) this.#end();
  }

  onTrailers(flat: readonly string[]): void {
    if (this.#state !== 'open') return;
    this.#trailerFields = new ReceivedFields(flat);
    this.#end();
  }

  #end(): void {
    this.#state = 'ended';
    this.#body?.end();
    this.#trailers?.resolve(this.#trailerFields);
    this.#receiver.onRequestEnded();
  }

  /**
   * The exchange is over with a complete response. If all of the request has arrived, its content can still
   * be read.
   */
  close(error: Error): void {
    if (this.#state === 'open') this.cut(error);
  }

  /** The exchange was reset. Content that has not been read is dropped. */
  cut(error: Error): void {
    if (this.#state === 'open') {
      this.#state = 'cut';
      this.#error = error;
    }
    this.#body?.cut(error);
    this.#trailers?.reject(error);
  }

  // ---- credit

  credit(granted: number, consumed: number): void {
    if (!this.#receiver.isOpen) return;
    // After the end of the request no more content crosses, so no credit is needed.
    if (this.#state === 'open') this.#owedGranted += granted;
    this.#owedConsumed += consumed;
    this.#receiver.onOwing();
  }

  get isOwing(): boolean {
    return this.#owedGranted > 0 || this.#owedConsumed > 0;
  }

  /**
   * True if the owed credit is worth a message of its own. The first grant always is, because no content
   * crosses before it. Later ones are if they make up a considerable part of the window.
   */
  owesMuch(creditEveryBytes: number): boolean {
    return this.#owedGranted > this.#owedConsumed || this.#owedConsumed >= creditEveryBytes;
  }

  get owedGranted(): number {
    return this.#owedGranted;
  }

  get owedConsumed(): number {
    return this.#owedConsumed;
  }

  paid(): void {
    this.#owedGranted = 0;
    this.#owedConsumed = 0;
  }
}
