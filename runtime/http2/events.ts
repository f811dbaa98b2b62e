/**
 * What the engine tells its owner. One long-lived object per connection implements it; calls are synchronous.
 */
import type { Abuse } from './counters.ts';
import type { Http2Stream } from './stream.ts';

/**
 * Who ended a stream. `complete`: both messages were sent whole. `peer`: its RST_STREAM. `engine`: an error
 * found here, or the connection ended. `owner`: `reset` was called.
 */
export type ClosedBy = 'complete' | 'peer' | 'engine' | 'owner';

/**
 * A method may call back into the engine, except `receive`. It must not throw: the engine is in the middle of
 * a chunk.
 */
export interface EngineEvents {
  /** A valid request head (RFC 9113 section 8.3.1). `endStream`: it has no content. */
  onRequest(stream: Http2Stream, endStream: boolean): void;
  /**
   * Request content: bytes[start,end), valid during the call only; empty when only the end is news. Flow
   * control counts it as unread until `consume`. Padding is none of the owner's business: the engine gives it
   * back itself.
   */
  onData(stream: Http2Stream, bytes: Uint8Array, start: number, end: number, endStream: boolean): void;
  /** The trailer section, which ends the request (RFC 9113 section 8.1). */
  onTrailers(stream: Http2Stream, fields: string[]): void;
  /**
   * So many response bytes of the stream have been placed in the output: the owner may grant as many anew. It
   * comes from within `write` as from within `takeOutput`, so an owner that answers it with the next `write`
   * recurses as deep as the output has room.
   */
  onSent(stream: Http2Stream, bytes: number): void;
  /** The last event of every stream that `onRequest` announced, exactly once. `code`: RFC 9113 section 7. */
  onClose(stream: Http2Stream, by: ClosedBy, code: number): void;
  /** The peer has gone over a budget or a limit for abuse: the connection ends now. Comes before the streams' `onClose`. */
  onAbuse(abuse: Abuse): void;
  /** The peer will open no more streams (RFC 9113 section 6.8). */
  onGoaway(lastStreamId: number, code: number): void;
}
