/**
 * What the engine reports to its owner. One long-lived object per connection implements it; calls are
 * synchronous.
 */
import type { Abuse } from './counters.ts';
import type { Http2Stream } from './stream.ts';

/**
 * Who ended a stream. `complete`: request and response were sent in full. `peer`: the peer sent RST_STREAM.
 * `engine`: the engine found an error, or the connection ended. `owner`: `reset` was called.
 */
export type ClosedBy = 'complete' | 'peer' | 'engine' | 'owner';

/** Why a request was refused; `connection-error`: the whole connection ends. */
export type StreamRefusal = 'malformed' | 'head-too-large' | 'too-many-streams' | 'connection-error';

/**
 * A method may call back into the engine, but must not call `receive`. It must not throw: the engine is in
 * the middle of a chunk.
 */
export interface EngineEvents {
  /** A valid request head (RFC 9113 section 8.3.1). `endStream`: the request has no content. */
  onRequest(stream: Http2Stream, endStream: boolean): void;
  /**
   * Request content: bytes[start,end), valid only during the call. Empty if only the end is news. For flow
   * control the bytes count as unread until `consume`. The owner never sees padding; the engine gives it back
   * itself.
   */
  onData(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void;
  /** The trailer section, which ends the request (RFC 9113 section 8.1). */
  onTrailers(stream: Http2Stream, fields: string[]): void;
  /**
   * This many response bytes of the stream have been placed into the output: the owner may grant as many
   * anew. The call may come from within `write` as well as `takeOutput`. So an owner that calls `write` again
   * from here recurses as deep as the output has room.
   */
  onSent(stream: Http2Stream, bytes: number): void;
  /** The last event of every stream that `onRequest` announced, exactly once. `code`: RFC 9113 section 7. */
  onClose(stream: Http2Stream, by: ClosedBy, code: number): void;
  /** A request is refused that `onRequest` has not announced, or the connection ends with an error other than abuse. */
  onRefused(refusal: StreamRefusal, why: string): void;
  /**
   * The peer has exceeded a budget or a limit against abuse: the connection ends now. Called before the
   * streams' `onClose`.
   */
  onAbuse(abuse: Abuse): void;
  /** The peer will open no more streams (RFC 9113 section 6.8). */
  onGoaway(lastStreamId: number, code: number): void;
}
