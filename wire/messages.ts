/**
 * The message grammar: kinds, flags, and what each end does with what it receives. README.md in this folder
 * has the table and the rules for who may send what and when.
 *
 * Messages are MessagePack arrays whose first element is the kind and whose second is the slot. They are
 * plain values. Nothing in them needs shared memory, so the same messages can travel by other means.
 */

import type { RequestHead } from './request-head.ts';

/** Raised whenever an end of one version could misread an end of another. */
export const GRAMMAR_VERSION = 8;

/** Reactor → thread. */
export const ReactorMessage = {
  Open: 0,
  Data: 1,
  Trailers: 2,
  Credit: 3,
  Reset: 4,
  Promised: 5,
  Times: 6,
} as const;
/** Thread → reactor. */
export const ThreadMessage = {
  Head: 8,
  Inform: 9,
  Data: 10,
  Trailers: 11,
  Credit: 12,
  Reset: 13,
  Closed: 14,
  Push: 15,
  Pad: 16,
} as const;

/** Bits of `flags`. */
export const Flag = {
  /** The sender has no more body and no trailers. */
  End: 1,
  /** The thread's last message on this slot. */
  Final: 2,
  /** In OPEN: the peer accepts pushed responses. */
  TakesPushes: 4,
  /** In OPEN: the peer can use the response in pieces (RFC 9218 section 4.2). */
  Incremental: 64,
  /** In OPEN: the request's identifier follows its path. */
  HasId: 256,
  /** In HEAD: the connection ends after the response, if its HTTP version supports that. */
  CloseConnection: 128,
} as const;

/**
 * Three bits of OPEN's flags hold the urgency (RFC 9218 section 4.1) XOR its default, so that the default is
 * 0.
 */
export const URGENCY_SHIFT = 3;
export const DEFAULT_URGENCY = 3;

/** Who reset an exchange (reactor → thread). */
export const ResetBy = { Peer: 0, Server: 1 } as const;
export type ResetBy = (typeof ResetBy)[keyof typeof ResetBy];

/** Why a thread reset an exchange (thread → reactor). */
export const ResetReason = {
  /** The application asked for it. */
  Application: 0,
  /** The application threw. The reactor answers 500 if no head was sent. */
  Threw: 1,
} as const;
export type ResetReason = (typeof ResetReason)[keyof typeof ResetReason];

/** Events of the channel itself, for the owner of either end. */
export interface ChannelEvents {
  /** The doorbell rang: there is, or may be, something to `receive`. */
  onWake(): void;
  /** A ring that refused a message has room again. Every message that waits may be tried again. */
  onWritable(): void;
  /**
   * Shared memory holds what the other end cannot have sent. Called once; nothing is received or sent after
   * it.
   */
  onCorrupt(error: Error): void;
}

/**
 * What the reactor receives. Called from within `receive`, once per message. `bytes[start, end)` lies in
 * shared memory and is valid only during the call. Copy it with `bytes.copy`, which is one memmove; `set` on
 * shared memory is not.
 */
export interface ReactorHandler extends ChannelEvents {
  /** With `Flag.End` the response is complete and its body, which may be empty, is `bytes[start, end)`. */
  onHead(
    slot: number,
    flags: number,
    status: number,
    /** May be shared with other responses, and is frozen then. */
    fields: readonly string[],
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  onInform(slot: number, status: number, fields: string[]): void;
  onData(slot: number, flags: number, bytes: Buffer, start: number, end: number): void;
  onTrailers(slot: number, flags: number, fields: string[]): void;
  /**
   * `granted`: request bytes that may be sent in addition. `consumed`: request bytes that the application has
   * taken.
   */
  onCredit(slot: number, granted: number, consumed: number): void;
  onReset(slot: number, flags: number, code: number, reason: number): void;
  onClosed(slot: number): void;
  /**
   * The application promises the response to this request. `number` is the thread's own and differs from
   * other recent ones.
   */
  onPush(slot: number, number: number, method: string, path: string, fields: string[]): void;
  /** Frames of the response from now on are padded to a multiple of this many bytes; 0: no padding. */
  onPad(slot: number, toMultipleOf: number): void;
}

/** What a thread receives; as `ReactorHandler`. */
export interface ThreadHandler extends ChannelEvents {
  onOpen(
    slot: number,
    generation: number,
    flags: number,
    /** When the request's head arrived: `clockMicroseconds` of `clock.ts`. */
    receivedAtUs: number,
    path: string,
    /** May be shared with other requests. */
    head: RequestHead,
    /** The request's identifier for logs; empty: it has none. */
    id: string,
  ): void;
  onData(slot: number, flags: number, bytes: Buffer, start: number, end: number): void;
  onTrailers(slot: number, fields: string[]): void;
  /** Response bytes that may be sent in addition. */
  onCredit(slot: number, bytes: number): void;
  onReset(slot: number, code: number, by: number): void;
  /**
   * The response to PUSH. If `accepted`, the reactor has sent the promise, and its response belongs on
   * `pushSlot`, which is already claimed for this thread. Otherwise nothing was promised, and `pushSlot` has
   * no meaning.
   */
  onPromised(slot: number, number: number, accepted: boolean, pushSlot: number): void;
  /**
   * An exchange that the thread follows (`Vitals.follow`) is over: sent or cut off. The slot may already
   * serve another. `status`: 0 if no head was sent
   */
  onTimes(slot: number, generation: number, atUs: number, status: number): void;
}
