/** What an exchange needs of the host: typed sends on its slot. A false means that the ring is full; the host calls `pump` and `payCredit` when there is room. */

import type { HostOptions } from '../wire/control.ts';
import type { ResetReason } from '../wire/messages.ts';
import type { HostedExchange } from './exchange.ts';

export interface Outlet {
  readonly options: HostOptions;
  /** The thread, or the whole server, is about to stop. */
  readonly isDraining: boolean;
  /** Largest body piece of one message. */
  readonly maxDataBytes: number;
  /** Most that the fields of one message may take, or the fields and the content of a head that carries both. */
  readonly maxHeadBytes: number;
  sendHead(
    exchange: HostedExchange,
    flags: number,
    status: number,
    fields: readonly string[],
    body: Uint8Array | null,
  ): boolean;
  sendInform(exchange: HostedExchange, status: number, fields: readonly string[]): boolean;
  sendData(exchange: HostedExchange, flags: number, bytes: Uint8Array, start: number, end: number): boolean;
  sendTrailers(exchange: HostedExchange, flags: number, fields: readonly string[]): boolean;
  sendCredit(exchange: HostedExchange, granted: number, consumed: number): boolean;
  /** A number for a push, unlike any other of this thread's lately. */
  nextPushNumber(): number;
  sendPush(
    exchange: HostedExchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): boolean;
  sendPad(exchange: HostedExchange, toMultipleOf: number): boolean;
  /** The exchange has something to send and no credit for it. */
  stalled(exchange: HostedExchange): void;
  /** After `stalled`: there is credit, or nothing to send any more. Before its FINAL message. */
  unstalled(exchange: HostedExchange): void;
  /** The exchange owes credit: `payCredit` will be called, at the latest before the thread sleeps. */
  owes(exchange: HostedExchange): void;
  /** FINAL messages: never refused, kept until the ring has room. */
  sendClosed(exchange: HostedExchange): void;
  sendReset(exchange: HostedExchange, flags: number, code: number, reason: ResetReason): void;
  /** The exchange has sent its FINAL message. */
  finished(exchange: HostedExchange): void;
}
