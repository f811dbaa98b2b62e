/**
 * One request of a connection and its response. The engine writes it; the owner reads the request's part and keeps `context`.
 */
import type { SendQueue } from '../bytes/send-queue.ts';
import type { FieldSection, Version } from './field-section.ts';
import { isSafe } from './methods.ts';
import type { Target } from './target.ts';

/** How far the request has come. */
export const RequestPhase = {
  /** Content may still come, and somebody may want it. */
  Open: 0,
  /** What comes is discarded. */
  Dropped: 1,
  /** It has come whole. */
  Ended: 2,
} as const;
export type RequestPhase = (typeof RequestPhase)[keyof typeof RequestPhase];

/** How far the response has come. */
export const ResponsePhase = {
  /** No final head yet; interim ones may have gone. */
  Awaited: 0,
  /** The owner has given the head, which waits for its turn, or to leave together with the content. */
  Given: 1,
  /** The head is in the output. */
  Started: 2,
  /** All of it is in the output. */
  Ended: 3,
} as const;
export type ResponsePhase = (typeof ResponsePhase)[keyof typeof ResponsePhase];

/** How the response's content is delimited (RFC 9112 section 6.3). */
export const Framing = {
  /** It has none, whatever is written (RFC 9110 section 6.4.1). */
  None: 0,
  Length: 1,
  Chunked: 2,
  /** It ends where the connection does: HTTP/1.0 without a length. */
  Connection: 3,
  /** It is no content but what a tunnel carries. */
  Tunnel: 4,
} as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** Whether the request asks for a tunnel, and what has become of that. */
export const TunnelPhase = { None: 0, Asked: 1, Open: 2 } as const;
export type TunnelPhase = (typeof TunnelPhase)[keyof typeof TunnelPhase];

const NO_FIELDS: readonly string[] = [];

export class Http1Message {
  readonly method: string;
  /** What an absolute-form target says; null otherwise. */
  readonly scheme: 'http' | 'https' | null;
  /** RFC 9112 section 3.3: the target's, otherwise Host's; empty where neither is there. */
  readonly authority: string;
  /** As in HTTP/2's `:path`: empty for CONNECT, `*` for OPTIONS of the whole server. */
  readonly path: string;
  readonly version: Version;
  readonly section: FieldSection;
  /** The owner's. */
  context: unknown = null;

  // Everything from here on is the engine's to write.
  request: RequestPhase;
  response: ResponsePhase = ResponsePhase.Awaited;
  tunnel: TunnelPhase = TunnelPhase.None;
  /** RFC 9112 section 9.3.2: it changes nothing, so others may run beside it. */
  readonly isSafe: boolean;
  isStarted = false;
  /** `onClose` has come. */
  isClosed = false;
  /** The owner has reset it while others were before it: the connection ends when its turn comes. */
  isBroken = false;
  /** 100 (Continue) has been given. */
  isInvited = false;
  receivedBytes = 0;
  unconsumedBytes = 0;
  discardedBytes = 0;

  /** Interim responses that wait for the answers before them. */
  interim = '';
  status = 0;
  fields: readonly string[] = NO_FIELDS;
  /** More of the head, which other responses with the same `fields` do not have. */
  addedFields: readonly string[] = NO_FIELDS;
  framing: Framing = Framing.None;
  /** Content that Content-Length promises and that is not in the output yet. */
  owedBytes = 0;
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
