/**
 * Server push (RFC 9113 section 8.4): promises. The server opens a pushed stream. After its promise the
 * stream is like any other: it is answered by the same calls, has its own window and is reset independently.
 *
 * Only this class decides whether a promise may be made now.
 */
import { EngineMisuseError } from './errors.ts';
import { maxInt31 } from './frames.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http2Options } from './options.ts';
import type { Sender } from './sender.ts';
import type { PeerSettings } from './settings.ts';
import { Http2Stream } from './stream.ts';
import { StreamState } from './stream-state.ts';
import type { Streams } from './streams.ts';

export class Pusher {
  readonly #options: Http2Options;
  readonly #streams: Streams;
  readonly #lifecycle: Lifecycle;
  readonly #sender: Sender;
  readonly #peer: PeerSettings;
  /** The peer has sent GOAWAY: it accepts no new streams (6.8). */
  #isOver = false;

  constructor(
    options: Http2Options,
    streams: Streams,
    lifecycle: Lifecycle,
    sender: Sender,
    peer: PeerSettings,
  ) {
    this.#options = options;
    this.#streams = streams;
    this.#lifecycle = lifecycle;
    this.#sender = sender;
    this.#peer = peer;
  }

  /** Both the peer and the server allow promises now, as far as the connection is concerned. */
  get isOpen(): boolean {
    return (
      this.#peer.enablePush &&
      !this.#isOver &&
      this.#limit > 0 &&
      this.#lifecycle.state === 'open' &&
      this.#streams.lastPushId < maxInt31 - 1
    );
  }

  /** Streams in a reserved state need not count (5.1.2). They count here to limit how much is promised. */
  get #limit(): number {
    return Math.min(this.#options.maxConcurrentPushes, this.#peer.maxConcurrentStreams);
  }

  push(parent: Http2Stream, method: string, path: string, fields: readonly string[]): Http2Stream | null {
    // A promised method must be safe, cacheable and without content (RFC 9110 sections 9.2.1 and 9.2.3). No
    // others are all three.
    if (method !== 'GET' && method !== 'HEAD') {
      throw new EngineMisuseError(
        parent.id,
        'the method of a promised request to be GET or HEAD',
        `got ${method}`,
      );
    }
    if (!this.isOpen || this.#streams.pushCount >= this.#limit) return null;
    // A promise is a hint, and a peer that does not read its responses is better off without.
    if (!this.#sender.hasSectionRoom) return null;
    // A promise is made on a stream of the peer's, while the server's side of it is open (8.4.1). A tunnel
    // has only DATA (8.5).
    const mayPromise = parent.state === StreamState.Open || parent.state === StreamState.HalfClosedRemote;
    if (!mayPromise || (parent.id & 1) === 0 || parent.method === 'CONNECT') return null;
    // The origin is the parent's own: the server cannot know that it is authoritative for another (8.4).
    if (parent.authority === '') return null;
    const stream = new Http2Stream(
      this.#streams.lastPushId + 2,
      this.#sender.streamWindowBytes,
      this.#sender,
    );
    stream.method = method;
    stream.scheme = parent.scheme;
    stream.authority = parent.authority;
    stream.path = path;
    stream.fields = fields as string[];
    stream.state = StreamState.ReservedLocal;
    this.#streams.addPush(stream);
    this.#sender.promise(parent.id, stream);
    return stream;
  }

  /** The peer has sent GOAWAY: promises that it has not begun to use end here, and no new ones are made. */
  onGoaway(lastStreamId: number): void {
    this.#isOver = true;
    if (this.#streams.pushCount === 0) return;
    for (const stream of this.#streams.values()) {
      if ((stream.id & 1) === 0 && stream.id > lastStreamId) this.#lifecycle.abandonPush(stream);
    }
  }
}
