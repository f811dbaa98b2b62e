/**
 * What the engine tells its owner. One long-lived object per connection implements it; calls are synchronous.
 */
import type { Http1Message } from './message.ts';
import type { Refusal } from './refusal.ts';

/**
 * Who ended an exchange. `complete`: both messages were whole. `engine`: an error found here, or the connection ended.
 * `owner`: `reset` was called.
 */
export type ClosedBy = 'complete' | 'engine' | 'owner';

/** What becomes of a request that offers to leave HTTP/1.1 (RFC 9110 section 7.8). */
export const UpgradeVerdict = {
  /** It is answered like any other. */
  Ignore: 0,
  /** It asks for a tunnel: `accept` opens it, `respond` refuses it. */
  Tunnel: 1,
  /** The connection is the owner's from here on: the engine is `left`. */
  Leave: 2,
} as const;
export type UpgradeVerdict = (typeof UpgradeVerdict)[keyof typeof UpgradeVerdict];

/** A method may call back into the engine, except `receive`. */
export interface EngineEvents {
  /** The value of the Date field (RFC 9110 section 6.6.1), now. */
  date(): string;
  /** A request with Upgrade that nothing stands before. CONNECT is not asked about: it is always for a tunnel. */
  onUpgrade(message: Http1Message): UpgradeVerdict;
  /**
   * A valid request head. It must not be answered before `onStart`.
   * @returns why the request is refused; null: it is taken
   */
  onRequest(message: Http1Message): Refusal | null;
  /** The request may run now (RFC 9112 section 9.3.2). Comes once for each that is taken, unless it is closed before. */
  onStart(message: Http1Message): void;
  /**
   * Request content, or what a tunnel brings: bytes[start,end), valid during the call only; empty when only the end is news.
   * It counts as unread until `consume`.
   */
  onData(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** The trailer section, which ends the request. Names are in lower case. */
  onTrailers(message: Http1Message, fields: string[]): void;
  /** So many response bytes have been placed in the output: the owner may grant as many anew. */
  onSent(message: Http1Message, bytes: number): void;
  /** The last event of every request that was taken, exactly once. `code`: RFC 9113 section 7. */
  onClose(message: Http1Message, by: ClosedBy, code: number): void;
}
