/**
 * One stream: its request's head, its windows, its queue. The engine writes it; the owner reads it and keeps
 * `context`.
 */
import { Window } from '../../wire/window.ts';
import type { SendQueue } from '../bytes/send-queue.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { StreamState } from './stream-state.ts';

/** How far the response has come, apart from what the stream's state allows (RFC 9113 section 8.1). */
export const ResponsePhase = {
  /** No final head yet; interim ones may have gone. */
  Awaited: 0,
  /** The head has been given; content and trailers may follow. */
  Started: 1,
  /** The head has been given; the response has no content, whatever is written (RFC 9110 section 6.4.1). */
  Bodiless: 2,
  /** The owner has ended it; what waits still has to leave. */
  Ending: 3,
  /** END_STREAM has been written. */
  Ended: 4,
} as const;
export type ResponsePhase = (typeof ResponsePhase)[keyof typeof ResponsePhase];

/** What a stream that has something to send waits for. */
export const SendWaiting = {
  Nothing: 0,
  /** Of the scheduler: content is queued, and the stream's window is open. */
  Turn: 1,
  /** Content is queued, and the peer keeps the stream's window shut. */
  Window: 2,
  /** The head or the trailers are next, and the socket has too much to take. Content may be queued behind the head. */
  Room: 3,
} as const;
export type SendWaiting = (typeof SendWaiting)[keyof typeof SendWaiting];

/** Answers how much a stream may send now. */
export interface SendRoom {
  roomFor(stream: Http2Stream): number;
}

export class Http2Stream {
  readonly id: number;
  method = '';
  /** Empty for CONNECT without `protocol`, as is `path`. */
  scheme = '';
  /** `:authority`, or the Host field when that is absent. */
  authority = '';
  path = '';
  /** `:protocol` (RFC 8441), or empty. */
  protocol = '';
  /** name, value, name, value…: no pseudo-fields; cookies joined (RFC 9113 section 8.2.3). Frozen where other streams have them too. */
  fields: readonly string[] = [];
  /** What the request announces; -1 when it does not. */
  contentLength = -1;
  /** The owner's. */
  context: unknown = null;
  /** The `priority` field as it came; null: there was none. */
  priorityField: string | null = null;
  /** RFC 9218 section 4: 0 to 7, lower is more urgent. What the field or a PRIORITY_UPDATE said last. */
  urgency = 3;
  incremental = false;
  /** It shares its turns with others of its urgency: what it asked for, or what is fair as the peer said nothing. */
  takesTurns = true;

  /** RFC 9113 section 5.1. Everything from here on is the engine's to write. */
  state: StreamState = StreamState.Idle;
  response: ResponsePhase = ResponsePhase.Awaited;
  /** Of the response; 0 until its head has been given. */
  status = 0;
  /** The head's fields while the head waits for room. */
  head: readonly string[] | null = null;
  /** 100 (Continue) has been sent. */
  isInvited = false;
  /** What payloads of the response are padded to a multiple of; 0: they are not. */
  padToMultipleOf = 0;
  /** Content bytes announced by DATA frames so far: what content-length is held against. */
  contentBytes = 0;
  /** Flow-controlled bytes received that have not been consumed. */
  unconsumedBytes = 0;
  /** The owner reads no more of the request: what comes is given back at once. */
  requestDropped = false;
  /** Absent until the request has content. */
  receiveWindow: ReceiveWindow | null = null;
  readonly sendWindow: Window;
  /** Flow-controlled bytes sent. */
  sentBytes = 0;
  /** The last DATA frame was a crumb, because a window had no room for more. */
  isCut = false;
  /** What the budget `stalledStreamSeconds` has been charged for this stream and may get back. */
  stalledSeconds = 0;
  /** Absent until something had to wait. */
  queue: SendQueue | null = null;
  /** Trailer section to send after head and queue. */
  trailers: readonly string[] | null = null;
  /** Links and standing in the send scheduler. */
  readyNext: Http2Stream | null = null;
  readyPrevious: Http2Stream | null = null;
  waiting: SendWaiting = SendWaiting.Nothing;
  readonly #room: SendRoom;

  constructor(id: number, sendWindowBytes: number, room: SendRoom) {
    this.id = id;
    this.sendWindow = new Window(sendWindowBytes);
    this.#room = room;
  }

  /** Response bytes that `write` would place in the output now, windows and output room considered. */
  get sendableBytes(): number {
    return this.#room.roomFor(this);
  }

  get queuedBytes(): number {
    return this.queue === null ? 0 : this.queue.bytes;
  }
}
