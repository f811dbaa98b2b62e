/**
 * Server push (RFC 9113 section 8.4): promises. A pushed stream is ours to open, and from its promise on a stream like
 * any other: it is answered by the same calls, has its own window and is reset by itself.
 *
 * Whether a promise may be made now is asked here and nowhere else.
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
  /** The peer's GOAWAY: it takes no new streams (6.8). */
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

  /** The peer takes promises, and we make them, as far as the connection goes. */
  get isOpen(): boolean {
    return (
      this.#peer.enablePush &&
      !this.#isOver &&
      this.#limit > 0 &&
      this.#lifecycle.state === 'open' &&
      this.#streams.lastPushId < maxInt31 - 1
    );
  }

  /** Streams in a reserved state need not count (5.1.2); that they do here keeps what is promised within reach. */
  get #limit(): number {
    return Math.min(this.#options.maxConcurrentPushes, this.#peer.maxConcurrentStreams);
  }

  push(parent: Http2Stream, method: string, path: string, fields: readonly string[]): Http2Stream | null {
    // Safe, cacheable, without content: no other method has all three (RFC 9110 sections 9.2.1 and 9.2.3).
    if (method !== 'GET' && method !== 'HEAD') {
      throw new EngineMisuseError(parent.id, 'the method of a promised request to be GET or HEAD', method);
    }
    if (!this.isOpen || this.#streams.pushCount >= this.#limit) return null;
    // A hint, which a peer that does not read is better off without.
    if (!this.#sender.hasSectionRoom) return null;
    // On a stream of the peer's, while our side of it is open (8.4.1). A tunnel has DATA only (8.5).
    const mayPromise = parent.state === StreamState.Open || parent.state === StreamState.HalfClosedRemote;
    if (!mayPromise || (parent.id & 1) === 0 || parent.method === 'CONNECT') return null;
    // The origin is the parent's own: of no other is it sure that we may speak for it (8.4).
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

  /** The peer's GOAWAY: what it has not begun to take ends here, nothing new is promised. */
  onGoaway(lastStreamId: number): void {
    this.#isOver = true;
    if (this.#streams.pushCount === 0) return;
    for (const stream of [...this.#streams.values()]) {
      if ((stream.id & 1) === 0 && stream.id > lastStreamId) this.#lifecycle.abandonPush(stream);
    }
  }
}
