/**
 * What the engine reports to its owner. One long-lived object per connection implements it; calls are
 * synchronous.
 */
import type { Http1Message } from './message.ts';
import type { Refusal } from './refusal.ts';

/**
 * Who ended an exchange. `complete`: request and response were complete. `engine`: the engine found an error,
 * or the connection ended. `owner`: `reset` was called.
 */
export type ClosedBy = 'complete' | 'engine' | 'owner';

/** What to do with a request that offers to leave HTTP/1.1 (RFC 9110 section 7.8). */
export const UpgradeVerdict = {
  /** Answer it like any other. */
  Ignore: 0,
  /** It asks for a tunnel: `accept` opens it, `respond` refuses it. */
  Tunnel: 1,
  /** The owner takes over the connection: the engine is `left`. */
  Leave: 2,
} as const;
export type UpgradeVerdict = (typeof UpgradeVerdict)[keyof typeof UpgradeVerdict];

/** A method may call back into the engine, but must not call `receive`. */
export interface EngineEvents {
  /** Returns the current value of the Date field (RFC 9110 section 6.6.1). */
  date(): string;
  /**
   * A request with Upgrade and no other request before it. CONNECT does not cause this call: it always asks
   * for a tunnel.
   */
  onUpgrade(message: Http1Message): UpgradeVerdict;
  /**
   * A valid request head. It must not be answered before `onStart`.
   * @returns why the request is refused; null: it is accepted
   */
  onRequest(message: Http1Message): Refusal | null;
  /**
   * The request may run now (RFC 9112 section 9.3.2). Called once for each accepted request, unless it closes
   * before.
   */
  onStart(message: Http1Message): void;
  /**
   * Request content, or bytes from a tunnel: bytes[start,end), valid only during the call. Empty if only the
   * end is news. The bytes count as unread until `consume`.
   */
  onData(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** The trailer section, which ends the request. Names are in lower case. */
  onTrailers(message: Http1Message, fields: string[]): void;
  /** This many response bytes have been placed into the output: the owner may grant as many anew. */
  onSent(message: Http1Message, bytes: number): void;
  /** The engine refuses what has arrived, and the connection ends. An accepted request gets `onClose` too. */
  onRefused(refusal: Refusal): void;
  /** The last event of every accepted request, exactly once. `code`: RFC 9113 section 7. */
  onClose(message: Http1Message, by: ClosedBy, code: number): void;
}
