/**
 * One stream: its request's head, its windows, its queue. Only the engine changes it; the owner reads it and
 * sets `context`.
 */
import { Window } from '../../wire/window.ts';
import type { SendQueue } from '../bytes/send-queue.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { StreamState } from './stream-state.ts';

/** How far the response has come, in addition to what the stream's state allows (RFC 9113 section 8.1). */
export const ResponsePhase = {
  /** No final head yet; interim responses may have been sent. */
  Awaited: 0,
  /** The head has been given; content and trailers may follow. */
  Started: 1,
  /** The head has been given; the response has no content, whatever is written (RFC 9110 section 6.4.1). */
  Bodiless: 2,
  /** The owner has ended the response; queued parts still have to leave. */
  Ending: 3,
  /** END_STREAM has been written. */
  Ended: 4,
} as const;
export type ResponsePhase = (typeof ResponsePhase)[keyof typeof ResponsePhase];

/** What a stream that has something to send waits for. */
export const SendWaiting = {
  Nothing: 0,
  /** Its turn in the scheduler: content is queued, and the stream's window is open. */
  Turn: 1,
  /** Its window: content is queued, and the peer keeps the stream's window shut. */
  Window: 2,
  /**
   * Room in the output: the head or the trailers are next, and the socket is behind. Content may be queued
   * after the head.
   */
  Room: 3,
} as const;
export type SendWaiting = (typeof SendWaiting)[keyof typeof SendWaiting];

/** Says how much a stream may send now. */
export interface SendRoom {
  roomFor(stream: Http2Stream): number;
}

export class Http2Stream {
  readonly id: number;
  method = '';
  /** Empty for CONNECT without `protocol`; so is `path`. */
  scheme = '';
  /** `:authority`, or the Host field if that is absent. */
  authority = '';
  path = '';
  /** `:protocol` (RFC 8441), or empty. */
  protocol = '';
  /**
   * name, value, name, value…, without pseudo-fields and with cookies joined (RFC 9113 section 8.2.3). Frozen
   * if other streams share the list.
   */
  fields: readonly string[] = [];
  /** What the request announces; -1: nothing. */
  contentLength = -1;
  /** For the owner's use. */
  context: unknown = null;
  /** The `priority` field as it arrived; null: absent. */
  priorityField: string | null = null;
  /**
   * RFC 9218 section 4: 0 to 7, lower is more urgent. The latest value from the field or a PRIORITY_UPDATE.
   */
  urgency = 3;
  incremental = false;
  /**
   * The stream shares its turns with others of its urgency: because it asked for it, or because that is fair
   * when the peer says nothing.
   */
  takesTurns = true;

  /** RFC 9113 section 5.1. The engine writes everything from here on. */
  state: StreamState = StreamState.Idle;
  response: ResponsePhase = ResponsePhase.Awaited;
  /** The response's status; 0 until its head has been given. */
  status = 0;
  /** The head's fields, while the head waits for room. */
  head: readonly string[] | null = null;
  /** 100 (Continue) has been sent. */
  isInvited = false;
  /** Payloads of the response are padded to a multiple of this; 0: they are not. */
  padToMultipleOf = 0;
  /** Content bytes that DATA frames have announced so far, for comparison with content-length. */
  contentBytes = 0;
  /** Flow-controlled bytes received that have not been consumed. */
  unconsumedBytes = 0;
  /** The owner reads no more of the request: what arrives is given back at once. */
  requestDropped = false;
  /** Null until the request has content. */
  receiveWindow: ReceiveWindow | null = null;
  readonly sendWindow: Window;
  /** Flow-controlled bytes sent. */
  sentBytes = 0;
  /** The last DATA frame was a crumb, because a window had no room for more. */
  isCut = false;
  /** What the budget `stalledStreamSeconds` has been charged for this stream and may get back. */
  stalledSeconds = 0;
  /** Null until something had to wait. */
  queue: SendQueue | null = null;
  /** The trailer section to send after head and queue. */
  trailers: readonly string[] | null = null;
  /** Links and position in the send scheduler. */
  readyNext: Http2Stream | null = null;
  readyPrevious: Http2Stream | null = null;
  waiting: SendWaiting = SendWaiting.Nothing;
  readonly #room: SendRoom;

  constructor(id: number, sendWindowBytes: number, room: SendRoom) {
    this.id = id;
    this.sendWindow = new Window(sendWindowBytes);
    this.#room = room;
  }

  /** Response bytes that `write` would place into the output now, considering windows and room. */
  get sendableBytes(): number {
    return this.#room.roomFor(this);
  }

  get queuedBytes(): number {
    return this.queue === null ? 0 : this.queue.bytes;
  }
}
