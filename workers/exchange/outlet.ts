/**
 * What an exchange needs from the host: typed sends on its slot. False means that the ring is full; the host
 * calls `pump` and `payCredit` when there is room. The type of the exchange is a parameter, so this contract
 * depends on none of its parts.
 */

import type { HostOptions } from '../../wire/control.ts';
import type { ResetReason } from '../../wire/messages.ts';

export interface Outlet<Exchange> {
  readonly options: HostOptions;
  /** The thread, or the whole server, is about to stop. */
  readonly isDraining: boolean;
  /** Largest body piece of one message. */
  readonly maxDataBytes: number;
  /**
   * The most room for the fields of one message, or for the fields and the content of a head that carries
   * both.
   */
  readonly maxHeadBytes: number;
  sendHead(
    exchange: Exchange,
    flags: number,
    status: number,
    fields: readonly string[],
    body: Uint8Array | null,
  ): boolean;
  sendInform(exchange: Exchange, status: number, fields: readonly string[]): boolean;
  sendData(exchange: Exchange, flags: number, bytes: Uint8Array, start: number, end: number): boolean;
  sendTrailers(exchange: Exchange, flags: number, fields: readonly string[]): boolean;
  sendCredit(exchange: Exchange, granted: number, consumed: number): boolean;
  /** Returns a number for a push that differs from those of this thread's recent pushes. */
  nextPushNumber(): number;
  sendPush(
    exchange: Exchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): boolean;
  sendPad(exchange: Exchange, toMultipleOf: number): boolean;
  /** Called when the exchange has something to send and no credit for it. */
  stalled(exchange: Exchange): void;
  /**
   * Called after `stalled`, when credit has arrived or nothing is left to send, and before the FINAL message.
   */
  unstalled(exchange: Exchange): void;
  /** The exchange owes credit. `payCredit` is called for it, at the latest before the thread sleeps. */
  oweCredit(exchange: Exchange): void;
  /** FINAL messages are never refused: they are kept until the ring has room. */
  sendClosed(exchange: Exchange): void;
  sendReset(exchange: Exchange, flags: number, code: number, reason: ResetReason): void;
  /** The exchange has sent its FINAL message. */
  finished(exchange: Exchange): void;
}
