/**
 * One request of a connection and its response. Only the engine changes it; the owner reads the request's
 * part and sets `context`.
 */
import type { SendQueue } from '../bytes/send-queue.ts';
import type { FieldSection, Version } from './field-section.ts';
import { isSafe } from './methods.ts';
import type { Target } from './target.ts';

/** How much of the request has arrived. */
export const RequestPhase = {
  /** Content may still arrive, and the owner may want it. */
  Open: 0,
  /** The rest is discarded. */
  Dropped: 1,
  /** The request is complete. */
  Ended: 2,
} as const;
export type RequestPhase = (typeof RequestPhase)[keyof typeof RequestPhase];

/** How far the response has come. */
export const ResponsePhase = {
  /** No final head yet; interim responses may have been sent. */
  Awaited: 0,
  /** The owner has given the head. The head waits for its turn, or for the content to leave with it. */
  Given: 1,
  /** The head is in the output. */
  Started: 2,
  /** The whole response is in the output. */
  Ended: 3,
} as const;
export type ResponsePhase = (typeof ResponsePhase)[keyof typeof ResponsePhase];

/** How the response's content is delimited (RFC 9112 section 6.3). */
export const Framing = {
  /** No content, whatever is written (RFC 9110 section 6.4.1). */
  None: 0,
  Length: 1,
  Chunked: 2,
  /** The content ends where the connection does: HTTP/1.0 without a length. */
  Connection: 3,
  /** The bytes of a tunnel, which are not content. */
  Tunnel: 4,
} as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** Whether the request asks for a tunnel, and whether the tunnel was opened. */
export const TunnelPhase = { None: 0, Asked: 1, Open: 2 } as const;
export type TunnelPhase = (typeof TunnelPhase)[keyof typeof TunnelPhase];

const NO_FIELDS: readonly string[] = [];

export class Http1Message {
  readonly method: string;
  /** From an absolute-form target; otherwise null. */
  readonly scheme: 'http' | 'https' | null;
  /** RFC 9112 section 3.3: from the target, otherwise from Host; empty if neither is present. */
  readonly authority: string;
  /** As in HTTP/2's `:path`: empty for CONNECT, `*` for OPTIONS of the whole server. */
  readonly path: string;
  readonly version: Version;
  readonly section: FieldSection;
  /** For the owner's use. */
  context: unknown = null;

  // Only the engine writes the following members.
  request: RequestPhase;
  response: ResponsePhase = ResponsePhase.Awaited;
  tunnel: TunnelPhase = TunnelPhase.None;
  /** RFC 9112 section 9.3.2: a safe request changes nothing, so others may run beside it. */
  readonly isSafe: boolean;
  isStarted = false;
  /** `onClose` has been called. */
  isClosed = false;
  /** The owner has reset the message while others were before it. The connection ends when its turn comes. */
  isBroken = false;
  /** 100 (Continue) has been given. */
  isInvited = false;
  receivedBytes = 0;
  unconsumedBytes = 0;
  discardedBytes = 0;

  /** Interim responses that wait for earlier responses. */
  interim = '';
  status = 0;
  fields: readonly string[] = NO_FIELDS;
  /** More fields of the head, which other responses with the same `fields` do not have. */
  addedFields: readonly string[] = NO_FIELDS;
  framing: Framing = Framing.None;
  /** Content that Content-Length declares and that is not in the output yet. */
  declaredBytesLeft = 0;
  /** The owner has ended the response. */
  isEnding = false;
  trailers: readonly string[] | null = null;
  /** Content that waits for its turn, or for room in the output. */
  queue: SendQueue | null = null;

  constructor(method: string, target: Target, version: Version, section: FieldSection) {
    this.method = method;
    this.scheme = target.scheme;
    this.authority = target.authority ?? section.host ?? '';
    this.path = target.path;
    this.version = version;
    this.section = section;
    const isWhole = section.contentLength === 0;
    this.request = isWhole ? RequestPhase.Ended : RequestPhase.Open;
    this.isSafe = isWhole && isSafe(method);
  }

  get queuedBytes(): number {
    return this.queue === null ? 0 : this.queue.bytes;
  }
}
