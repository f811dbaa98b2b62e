/**
 * What one exchange sends to the reactor on its slot, in order, up to the FINAL message. FINAL is sent as
 * soon as the response has been sent and the request has arrived. After that the exchange sends nothing more
 * on the slot, because the slot may serve another exchange.
 *
 * A head that can be sent at once is sent directly. Messages that have to wait do so in a `ResponseQueue`,
 * which is made when it is first needed.
 *
 * The class derived from this one knows what the messages say. This is done by inheritance because every
 * exchange would pay for an object of its own.
 */
import { AsyncResource } from 'node:async_hooks';
import { Flag, ResetReason } from '../../wire/messages.ts';
import type { Application, Closed, Exchange } from '../gateway.ts';
import { ExchangeClosedError } from './errors.ts';
import type { Outlet } from './outlet.ts';
import type { PendingPush } from './pushes.ts';
import { MAX_QUEUED_MESSAGES, type MessageKind, ResponseQueue, type Sender } from './response-queue.ts';
import { requireResetCode } from './values.ts';

/**
 * `idle` → `started` (head) → `ending` (complete, some of it still queued) → `ended`; `cut` from any state
 * but `ended`.
 */
export type ResponseState = 'idle' | 'started' | 'ending' | 'ended' | 'cut';

const INTERNAL_ERROR = 0x2;
const CANCEL = 0x8;
const COMPLETE: Closed = Object.freeze({ by: 'application', how: 'complete', code: 0 });
const FAILED: Closed = Object.freeze({ by: 'application', how: 'reset', code: INTERNAL_ERROR });

export abstract class SlotOutput implements Sender {
  readonly slot: number;
  readonly #outlet: Outlet<SlotOutput>;
  #response: ResponseState = 'idle';
  #closesConnection = false;
  /** Null: no message has had to wait yet. */
  #queue: ResponseQueue<SlotOutput> | null = null;
  /**
   * The outlet sets this with the FINAL message, which must not be sent twice, because the slot may serve
   * another exchange by then.
   */
  isFinalSent = false;
  /** For the outlet only: the turn in which the exchange was begun. */
  begunIn = -1;
  #isOver = false;
  #readsNoMore = false;
  #closed: Closed | null = null;
  #failure: unknown = null;
  #abort: AbortController | null = null;
  #whenClosed: PromiseWithResolvers<Closed> | null = null;
  /**
   * The async context of this exchange alone. The host calls all exchanges from one turn of its loop. A store
   * that the application enters (`AsyncLocalStorage.enterWith`) in the turn's own context would be visible to
   * the next exchange.
   */
  readonly #context = new AsyncResource('SLUICE_EXCHANGE');

  constructor(outlet: Outlet<SlotOutput>, slot: number) {
    this.#outlet = outlet;
    this.slot = slot;
  }

  // ---- for the derived class, which knows the request

  /** True if more of the request may arrive. */
  protected abstract readonly isRequestOpen: boolean;
  /**
   * True if the application has asked for a push on which the reactor has not decided. A response that
   * completes first does not cancel the push.
   */
  protected abstract readonly awaitsPromise: boolean;
  /** Called when the exchange is over. @param error what cut it off; null: the response was complete */
  protected abstract onFinished(closed: Closed, error: ExchangeClosedError | null): void;
  abstract pendingPush(number: number): PendingPush | undefined;

  // ---- the application's side

  closeConnection(): void {
    this.#closesConnection = true;
  }

  reset(code: number = CANCEL): void {
    requireResetCode(code);
    this.#cut({ by: 'application', how: 'reset', code }, code, ResetReason.Application);
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#closed !== null && this.#closed.how === 'reset') {
        this.#abort.abort(new ExchangeClosedError(this.#closed));
      }
    }
    return this.#abort.signal;
  }

  get closed(): Promise<Closed> {
    if (this.#whenClosed === null) {
      this.#whenClosed = Promise.withResolvers();
      if (this.#closed !== null) this.#whenClosed.resolve(this.#closed);
    }
    return this.#whenClosed.promise;
  }

  /** Leaving the scope of an incomplete exchange resets it, so an early return leaves nothing open. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#response === 'idle' || this.#response === 'started') this.reset();
    // The application does not read the request after this scope, so a request that is still arriving must
    // not delay the end.
    this.#readsNoMore = true;
    this.finishIfOver();
    return this.closed.then(() => undefined);
  }

  // ---- the host's side

  /** Calls the application's function on the exchange, in the exchange's own async context. */
  protected call(application: Application, exchange: Exchange): unknown {
    return this.#context.runInAsyncScope(application, undefined, exchange);
  }

  /** Listeners of a signal run within `abort`, and the host aborts those of many exchanges in one turn. */
  protected abortInContext(controller: AbortController, reason?: unknown): void {
    this.#context.runInAsyncScope(controller.abort, controller, reason);
  }

  /** Why the exchange failed, which the application may not have noticed; null: it has not failed. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Called when the application's function has returned. @returns false if the exchange has failed */
  onReturn(): boolean {
    this.#readsNoMore = true;
    if (this.#failure !== null) return false;
    if (this.#response === 'idle' || this.#response === 'started') return false;
    this.finishIfOver();
    return true;
  }

  /**
   * The application threw, or returned without a complete response: 500 if nothing was sent, else a reset.
   */
  onFailure(): void {
    this.#readsNoMore = true;
    this.#cut(FAILED, INTERNAL_ERROR, ResetReason.Threw);
  }

  onCredit(bytes: number): void {
    if (!this.#isOver) this.#queueOf().grant(bytes);
  }

  onReset(code: number, by: Closed['by']): void {
    this.#cut({ by, how: 'reset', code }, code, ResetReason.Application);
  }

  /** True while the reactor holds the slot for this exchange. */
  get isOpen(): boolean {
    return !this.#isOver;
  }

  /** True if a message waits to be sent and may lack room in the ring, but no credit. */
  get isUnsent(): boolean {
    return this.#queue?.isUnsent === true;
  }

  /** Sends waiting messages, as far as possible. @throws as `ResponseQueue.pump` */
  pump(): void {
    this.#queue?.pump();
  }

  // ---- sending

  protected get outlet(): Outlet<SlotOutput> {
    return this.#outlet;
  }

  protected get response(): ResponseState {
    return this.#response;
  }

  /** What cut the exchange off; null: nothing has. */
  protected get whyCut(): ExchangeClosedError | null {
    return this.#closed !== null && this.#closed.how === 'reset'
      ? new ExchangeClosedError(this.#closed)
      : null;
  }

  /** Sends HEAD. More of the response follows. */
  protected sendStart(status: number, fields: readonly string[]): void {
    this.#response = 'started';
    this.#send('head', status, fields, null, false, null);
  }

  /** Sends HEAD with the whole response. */
  protected sendWhole(status: number, fields: readonly string[], bytes: Uint8Array): void {
    this.#response = 'ending';
    this.#send('head', status, fields, bytes, true, null);
  }

  /** Sends the last of the response: its content, or its trailers. */
  protected sendEnd(bytes: Uint8Array | null, trailers: readonly string[] | null): void {
    this.#response = 'ending';
    this.#send(trailers === null ? 'data' : 'trailers', 0, trailers, bytes, true, null);
  }

  protected sendPiece(bytes: Uint8Array, written: PromiseWithResolvers<void>): void {
    this.#send('data', 0, null, bytes, false, written);
  }

  /**
   * Sends a piece in one message.
   * @returns false: it would have to wait for credit, for room or behind another message, and nothing was
   * sent
   */
  protected tryPiece(bytes: Uint8Array): boolean {
    return this.#queueOf().tryData(bytes);
  }

  /**
   * Sends a message that is neither head nor content.
   * @param number an interim response's status, a push's number, or what to pad to a multiple of
   */
  protected sendBetween(
    kind: 'inform' | 'push' | 'pad',
    number: number,
    fields: readonly string[] | null,
  ): void {
    this.#send(kind, number, fields, null, false, null);
  }

  #send(
    kind: MessageKind,
    status: number,
    fields: readonly string[] | null,
    bytes: Uint8Array | null,
    end: boolean,
    written: PromiseWithResolvers<void> | null,
  ): void {
    try {
      // No queue is needed if the message can be sent at once.
      if (kind === 'head' && (this.#queue === null || this.#queue.length === 0)) {
        if (this.#trySendHead(status, fields as readonly string[], bytes, end)) return;
      }
      this.#queueOf().add(kind, status, fields, bytes, end, written);
    } catch (error) {
      // An internal error, or an exhausted stack in an application that recurses. The response cannot be
      // completed any more, so the exchange fails, whether or not the application notices.
      this.#failure ??= error;
      this.#response = 'cut';
      this.#closed ??= FAILED;
      try {
        this.#cut(FAILED, INTERNAL_ERROR, ResetReason.Threw);
      } catch {
        // The stack has no room for that either. Because `#failure` is set, the host cuts the exchange when
        // the function is over.
      }
      throw error;
    }
  }

  #trySendHead(status: number, fields: readonly string[], bytes: Uint8Array | null, end: boolean): boolean {
    const body = bytes !== null && bytes.length > 0 ? bytes : null;
    if (!this.#outlet.sendHead(this, this.headFlags(end), status, fields, body)) return false;
    if (end) this.onResponseSent();
    return true;
  }

  #queueOf(): ResponseQueue<SlotOutput> {
    this.#queue ??= new ResponseQueue<SlotOutput>(this, this.#outlet);
    return this.#queue;
  }

  protected get isQueueFull(): boolean {
    return this.#queue !== null && this.#queue.length >= MAX_QUEUED_MESSAGES;
  }

  /** Bytes of content that may be sent. */
  protected get credit(): number {
    return this.#queue === null ? this.#outlet.options.responseWindowBytes : this.#queue.credit;
  }

  /** Bytes of content that wait. */
  protected get waitingBytes(): number {
    return this.#queue === null ? 0 : this.#queue.bytes;
  }

  headFlags(end: boolean): number {
    const flags = end ? this.endFlags() : 0;
    return this.#closesConnection ? flags | Flag.CloseConnection : flags;
  }

  endFlags(): number {
    return this.isRequestOpen || this.awaitsPromise ? Flag.End : Flag.End | Flag.Final;
  }

  onResponseSent(): void {
    if (this.#response !== 'ending') return;
    this.#response = 'ended';
    if (!this.isRequestOpen && !this.awaitsPromise) this.#finish(COMPLETE);
    else this.finishIfOver();
  }

  /** Fails the exchange, because the application has made a correct response impossible. */
  protected fail(error: Error): void {
    this.#failure = error;
    this.#cut(FAILED, INTERNAL_ERROR, ResetReason.Threw);
  }

  /**
   * Ends the exchange if the response has been sent, and if the request has arrived or the application no
   * longer reads it.
   */
  protected finishIfOver(): void {
    if (this.#response !== 'ended' || this.#isOver || this.awaitsPromise) return;
    if (this.isRequestOpen && !this.#readsNoMore) return;
    if (!this.isFinalSent) this.#outlet.sendClosed(this);
    this.#finish(COMPLETE);
  }

  #cut(closed: Closed, code: number, reason: ResetReason): void {
    if (this.#isOver) return;
    this.#queue?.stop();
    this.#response = 'cut';
    if (!this.isFinalSent) this.#outlet.sendReset(this, Flag.Final, code, reason);
    this.#finish(closed);
  }

  /**
   * Called once the FINAL message has been sent, or waits in the outlet: the slot belongs to the reactor
   * again.
   */
  #finish(closed: Closed): void {
    this.#outlet.finished(this);
    this.#isOver = true;
    this.#closed = closed;
    const error = closed.how === 'complete' ? null : new ExchangeClosedError(closed);
    this.onFinished(closed, error);
    this.#queue?.drop(error);
    if (error !== null && this.#abort !== null) this.abortInContext(this.#abort, error);
    this.#whenClosed?.resolve(closed);
  }
}
