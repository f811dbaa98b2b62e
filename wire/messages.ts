/**
 * The message grammar: kinds, flags, and what each end does with what it receives. README.md beside this file
 * has the table and the rules of who may send what when.
 *
 * Messages are MessagePack arrays whose first element is the kind and whose second is the slot. They are plain
 * values: nothing here needs shared memory, so the same messages can travel by other means.
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
  /** No more body from this sender, and no trailers. */
  End: 1,
  /** The thread's last message on this slot. */
  Final: 2,
  /** In OPEN: the peer takes promised responses. */
  TakesPushes: 4,
  /** In OPEN: the response is of use in pieces (RFC 9218 section 4.2). */
  Incremental: 64,
  /** In OPEN: the request's identifier follows its path. */
  HasId: 256,
  /** In HEAD: the connection is to end behind the response, where its version has that. */
  CloseConnection: 128,
} as const;

/** In OPEN's flags: three bits for the urgency (RFC 9218 section 4.1) XOR its default, so that nothing said is 0. */
export const URGENCY_SHIFT = 3;
export const DEFAULT_URGENCY = 3;

/** Who reset an exchange (reactor → thread). */
export const ResetBy = { Peer: 0, Server: 1 } as const;
export type ResetBy = (typeof ResetBy)[keyof typeof ResetBy];

/** Why a thread reset an exchange (thread → reactor). */
export const ResetReason = {
  /** The application asked for it. */
  Application: 0,
  /** The application threw; the reactor answers 500 when no head has gone. */
  Threw: 1,
} as const;
export type ResetReason = (typeof ResetReason)[keyof typeof ResetReason];

/** What both ends hear of the channel itself. */
export interface ChannelEvents {
  /** The doorbell rang: there is something to `receive`, or there may be. */
  onWake(): void;
  /** A ring that was full has room again. */
  onWritable(): void;
  /** Shared memory holds what the other end cannot have sent. Comes once; nothing is received or sent after it. */
  onCorrupt(error: Error): void;
}

/**
 * The reactor's side. Called from within `receive`, one call per message. `bytes[start, end)` lies in shared memory and
 * is valid during the call only; take a copy with `bytes.copy`, which is one memmove where `set` on shared memory is not.
 */
export interface ReactorHandler extends ChannelEvents {
  /** With `Flag.End` the response is whole and its body, perhaps empty, is `bytes[start, end)`. */
  onHead(
    slot: number,
    flags: number,
    status: number,
    /** Perhaps those of other responses too, and then frozen. */
    fields: readonly string[],
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  onInform(slot: number, status: number, fields: string[]): void;
  onData(slot: number, flags: number, bytes: Buffer, start: number, end: number): void;
  onTrailers(slot: number, flags: number, fields: string[]): void;
  /** `granted`: request bytes that may cross in addition. `consumed`: request bytes that the application has taken. */
  onCredit(slot: number, granted: number, consumed: number): void;
  onReset(slot: number, flags: number, code: number, reason: number): void;
  onClosed(slot: number): void;
  /** The application promises the response to this request. `number` is the thread's own, unlike any other lately. */
  onPush(slot: number, number: number, method: string, path: string, fields: string[]): void;
  /** Frames of the response from now on are padded to a multiple of so many bytes; 0: no longer. */
  onPad(slot: number, toMultipleOf: number): void;
}

/** The thread's side; as `ReactorHandler`. */
export interface ThreadHandler extends ChannelEvents {
  onOpen(
    slot: number,
    generation: number,
    flags: number,
    /** When the request's head had come: `clockMicroseconds` of `clock.ts`. */
    receivedAtUs: number,
    path: string,
    /** Perhaps that of other requests too. */
    head: RequestHead,
    /** What the request is called in logs; empty: nothing. */
    id: string,
  ): void;
  onData(slot: number, flags: number, bytes: Buffer, start: number, end: number): void;
  onTrailers(slot: number, fields: string[]): void;
  /** Response bytes that may cross in addition. */
  onCredit(slot: number, bytes: number): void;
  onReset(slot: number, code: number, by: number): void;
  /**
   * The answer to PUSH. `accepted`: the promise has been made, and its response belongs on `pushSlot`, which is claimed for
   * this thread already. Not: nothing was promised, and `pushSlot` says nothing.
   */
  onPromised(slot: number, number: number, accepted: boolean, pushSlot: number): void;
  /** What the thread has followed (`Vitals.follow`) is over, sent or cut off; the slot may serve another by now. `status`: 0, there was no head */
  onTimes(slot: number, generation: number, atUs: number, status: number): void;
}
