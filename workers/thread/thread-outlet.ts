/**
 * The host's outlet: writes the messages of exchanges into the ring. An exchange that finds the ring full
 * sends when there is room again.
 */
import { clockMicroseconds } from '../../wire/clock.ts';
import type { HostOptions } from '../../wire/control.ts';
import { Flag, type ResetReason } from '../../wire/messages.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import type { Vitals } from '../../wire/vitals.ts';
import type { HostedExchange } from '../exchange/exchange.ts';
import type { Outlet } from '../exchange/outlet.ts';
import type { Turns } from './turns.ts';

/**
 * Room for the integers of a message, the head of its content, and the content-length that `respond` adds.
 */
const FIXED_HEAD_BYTES = 160;

/** A FINAL message that waits for room: RESET, or CLOSED. */
interface LastMessage {
  readonly slot: number;
  readonly reset: { readonly flags: number; readonly code: number; readonly reason: ResetReason } | null;
}

/** The host, whose exchanges these are. */
export interface OutletOwner {
  readonly isDraining: boolean;
  onFinished(exchange: HostedExchange): void;
  /** Called with an internal error that an exchange has thrown while sending. */
  onFault(exchange: HostedExchange, error: unknown): void;
}

export class ThreadOutlet implements Outlet<HostedExchange> {
  readonly options: HostOptions;
  readonly maxDataBytes: number;
  readonly maxHeadBytes: number;
  readonly #channel: ThreadEnd;
  readonly #turns: Turns;
  readonly #vitals: Vitals;
  readonly #owner: OutletOwner;
  /** Exchanges that found the ring full. */
  readonly #ringWaiters = new Set<HostedExchange>();
  /** Exchanges that owe credit. */
  readonly #owing = new Set<HostedExchange>();
  /** FINAL messages that found the ring full: at most one per slot. */
  readonly #lastMessages: LastMessage[] = [];
  #pushNumber = 0;

  /** @param maxMessageBytes the longest message of the ring */
  constructor(
    channel: ThreadEnd,
    maxMessageBytes: number,
    options: HostOptions,
    turns: Turns,
    vitals: Vitals,
    owner: OutletOwner,
  ) {
    this.#channel = channel;
    this.options = options;
    this.maxDataBytes = channel.maxDataRecordBytes;
    this.maxHeadBytes = maxMessageBytes - FIXED_HEAD_BYTES;
    this.#turns = turns;
    this.#vitals = vitals;
    this.#owner = owner;
  }

  get isDraining(): boolean {
    return this.#owner.isDraining;
  }

  /** FINAL messages that wait for room. */
  get waitingLastMessages(): number {
    return this.#lastMessages.length;
  }

  /**
   * Sends owed credit. Messages and wake-ups for a little credit would cost more than it is worth, so it
   * waits until the thread is about to sleep.
   */
  payCredits(all: boolean): void {
    if (this.#owing.size === 0) return;
    for (const exchange of this.#owing) {
      if (!all && !exchange.owesMuch) continue;
      this.#owing.delete(exchange);
      exchange.payCredit();
    }
  }

  /**
   * Called when the ring has room again. @returns false if there is not even room for the waiting FINAL
   * messages
   */
  onRingRoom(): boolean {
    while (this.#lastMessages.length > 0) {
      const { slot, reset } = this.#lastMessages[0] as LastMessage;
      if (!this.#sendLast(slot, reset)) return false;
      this.#lastMessages.shift();
    }
    for (const exchange of this.#ringWaiters) {
      this.#ringWaiters.delete(exchange);
      try {
        exchange.payCredit();
        exchange.pump();
      } catch (error) {
        this.#owner.onFault(exchange, error);
      }
      if (this.#ringWaiters.has(exchange)) break;
    }
    return true;
  }

  sendHead(
    exchange: HostedExchange,
    flags: number,
    status: number,
    fields: readonly string[],
    body: Uint8Array | null,
  ): boolean {
    const sent = this.#channel.sendHead(exchange.slot, flags, status, fields, body);
    if (sent && (flags & Flag.Final) !== 0) exchange.isFinalSent = true;
    return this.#sent(exchange, sent);
  }

  sendInform(exchange: HostedExchange, status: number, fields: readonly string[]): boolean {
    return this.#sent(exchange, this.#channel.sendInform(exchange.slot, status, fields));
  }

  sendData(exchange: HostedExchange, flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    const sent = this.#channel.sendData(exchange.slot, flags, bytes, start, end);
    if (sent && (flags & Flag.Final) !== 0) exchange.isFinalSent = true;
    return this.#sent(exchange, sent);
  }

  sendTrailers(exchange: HostedExchange, flags: number, fields: readonly string[]): boolean {
    const sent = this.#channel.sendTrailers(exchange.slot, flags, fields);
    if (sent && (flags & Flag.Final) !== 0) exchange.isFinalSent = true;
    return this.#sent(exchange, sent);
  }

  sendCredit(exchange: HostedExchange, granted: number, consumed: number): boolean {
    return this.#sent(exchange, this.#channel.sendCredit(exchange.slot, granted, consumed));
  }

  nextPushNumber(): number {
    this.#pushNumber = (this.#pushNumber + 1) >>> 0;
    return this.#pushNumber;
  }

  sendPush(
    exchange: HostedExchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): boolean {
    return this.#sent(exchange, this.#channel.sendPush(exchange.slot, number, method, path, fields));
  }

  sendPad(exchange: HostedExchange, toMultipleOf: number): boolean {
    return this.#sent(exchange, this.#channel.sendPad(exchange.slot, toMultipleOf));
  }

  stalled(exchange: HostedExchange): void {
    this.#vitals.stall(exchange.slot, clockMicroseconds());
  }

  unstalled(exchange: HostedExchange): void {
    this.#vitals.unstall(exchange.slot, clockMicroseconds());
  }

  oweCredit(exchange: HostedExchange): void {
    this.#owing.add(exchange);
    this.#turns.schedule();
  }

  sendClosed(exchange: HostedExchange): void {
    const { slot } = exchange;
    if (this.#lastMessages.length > 0 || !this.#channel.sendClosed(slot))
      this.#lastMessages.push({ slot, reset: null });
    exchange.isFinalSent = true;
    this.#turns.said();
  }

  sendReset(exchange: HostedExchange, flags: number, code: number, reason: ResetReason): void {
    const { slot } = exchange;
    const reset = { flags, code, reason };
    if (this.#lastMessages.length > 0 || !this.#sendLast(slot, reset))
      this.#lastMessages.push({ slot, reset });
    exchange.isFinalSent = true;
    this.#turns.said();
  }

  #sendLast(slot: number, reset: LastMessage['reset']): boolean {
    return reset === null
      ? this.#channel.sendClosed(slot)
      : this.#channel.sendReset(slot, reset.flags, reset.code, reset.reason);
  }

  finished(exchange: HostedExchange): void {
    // Both are usually empty, and checking that costs less than a look-up.
    if (this.#ringWaiters.size > 0) this.#ringWaiters.delete(exchange);
    if (this.#owing.size > 0) this.#owing.delete(exchange);
    this.#owner.onFinished(exchange);
  }

  #sent(exchange: HostedExchange, sent: boolean): boolean {
    if (sent) this.#turns.said();
    else this.#ringWaiters.add(exchange);
    return sent;
  }
}
