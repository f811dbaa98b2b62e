/**
 * Flow control of received content (RFC 9113 section 5.2): what the peer may still send, and when it is
 * granted more.
 *
 * A byte counts from its frame's head on and is given back once: as padding, when the owner has consumed it,
 * or when its stream closes before that. Bytes to give back are collected until they are half a window, then
 * sent in one WINDOW_UPDATE.
 *
 * A stream's window grows while the owner consumes half of it faster than an update takes to come back as
 * content: then the window limits the peer. A slow owner takes longer, and an owner that stalls reaches no
 * update at all, so neither gets a larger window.
 *
 * The growth is lent. The connection's window reserves the initial window of every stream that may be opened.
 * Only the rest is lent to streams, and it comes back when a stream closes. So streams that stall cannot use
 * up another's room, however far windows have grown.
 */
import { Window } from '../../wire/window.ts';
import type { FrameWriter } from './frame-writer.ts';
import { initialWindowBytes } from './frames.ts';
import type { Http2Options } from './options.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { RoundTrip } from './round-trip.ts';
import type { Http2Stream } from './stream.ts';
import { StreamState } from './stream-state.ts';

/**
 * The time that content takes to be consumed in addition to the network's round trip: to the owner's thread
 * and back, through two event loops under load.
 */
const ownerTripMs = 2;

export class ReceiveFlow {
  readonly #writer: FrameWriter;
  readonly #roundTrip: RoundTrip;
  readonly #connectionWindowBytes: number;
  readonly #maxStreamWindowBytes: number;
  readonly #window = new Window(initialWindowBytes);
  #unreturnedBytes = 0;
  /** How much stream windows may still grow. */
  #lendableBytes: number;
  /** A stream's initial window: the SETTINGS value in force. */
  streamWindowBytes = initialWindowBytes;

  constructor(writer: FrameWriter, roundTrip: RoundTrip, options: Http2Options) {
    const { connectionWindowBytes, maxConcurrentStreams, streamWindowBytes } = options;
    this.#writer = writer;
    this.#roundTrip = roundTrip;
    this.#connectionWindowBytes = connectionWindowBytes;
    this.#maxStreamWindowBytes = options.maxStreamWindowBytes;
    this.#lendableBytes = Math.max(0, connectionWindowBytes - maxConcurrentStreams * streamWindowBytes);
  }

  /** Raises the connection's window from its fixed initial value (6.9.2). */
  open(): void {
    const increment = this.#connectionWindowBytes - initialWindowBytes;
    if (increment === 0) return;
    this.#window.grant(increment);
    this.#writer.windowUpdate(0, increment);
  }

  /** Bytes that all streams together may still receive. */
  get availableBytes(): number {
    return this.#window.available;
  }

  /**
   * Counts a DATA frame's whole payload for the connection, whatever happens to it.
   * @returns false: over the window
   */
  receiveOnConnection(bytes: number): boolean {
    if (bytes > this.#window.available) return false;
    this.#window.consume(bytes);
    return true;
  }

  /** @returns false: over the stream's window; the bytes are then not counted for the stream */
  receiveOnStream(stream: Http2Stream, bytes: number): boolean {
    stream.receiveWindow ??= new ReceiveWindow(this.streamWindowBytes);
    if (bytes > stream.receiveWindow.available) return false;
    stream.receiveWindow.consume(bytes);
    stream.unconsumedBytes += bytes;
    return true;
  }

  /** The owner, or the engine for padding, has finished with this many of the stream's bytes. */
  consume(stream: Http2Stream, bytes: number, nowMs: number): void {
    stream.unconsumedBytes -= bytes;
    this.giveBackToConnection(bytes);
    // The peer sends nothing more on a stream that it has ended, so an update would be noise.
    if (!mayReceive(stream)) return;
    const window = stream.receiveWindow as ReceiveWindow;
    window.unreturnedBytes += bytes;
    if (window.unreturnedBytes * 2 >= window.sizeBytes)
      this.#update(stream, window, this.#grow(window, nowMs));
  }

  #update(stream: Http2Stream, window: ReceiveWindow, growthBytes: number): void {
    const increment = window.unreturnedBytes + growthBytes;
    window.unreturnedBytes = 0;
    window.grant(increment);
    this.#writer.windowUpdate(stream.id, increment);
  }

  /**
   * Half a window has been consumed since the last update. This side cannot see whether the peer was held
   * back: over a long way the window looks open while the update that opened it is in transit. The pace of
   * consumption shows it.
   * @returns how much the window grows
   */
  #grow(window: ReceiveWindow, nowMs: number): number {
    const sinceMs = window.updatedAtMs;
    window.updatedAtMs = nowMs;
    const most = this.#maxStreamWindowBytes - window.sizeBytes;
    // The first half may have arrived before the owner began to read, so its pace shows nothing.
    if (sinceMs < 0 || most <= 0 || this.#lendableBytes === 0) return 0;
    this.#roundTrip.measure(nowMs);
    const { leastMs } = this.#roundTrip;
    if (leastMs < 0 || nowMs - sinceMs > 2 * (leastMs + ownerTripMs)) return 0;
    const bytes = Math.min(window.sizeBytes, most, this.#lendableBytes);
    this.#lendableBytes -= bytes;
    window.lentBytes += bytes;
    window.sizeBytes += bytes;
    return bytes;
  }

  /**
   * Bytes of a request that is not read: the connection gets them back, but the stream's window stays shut.
   */
  discard(stream: Http2Stream, bytes: number): void {
    stream.unconsumedBytes -= bytes;
    if (bytes > 0) this.giveBackToConnection(bytes);
  }

  /** The stream is gone: unconsumed bytes and lent growth go back to the connection. */
  release(stream: Http2Stream): void {
    const bytes = stream.unconsumedBytes;
    stream.unconsumedBytes = 0;
    if (stream.receiveWindow !== null) {
      this.#lendableBytes += stream.receiveWindow.lentBytes;
      stream.receiveWindow.lentBytes = 0;
    }
    if (bytes > 0) this.giveBackToConnection(bytes);
  }

  giveBackToConnection(bytes: number): void {
    this.#unreturnedBytes += bytes;
    // If much lies unread on other streams, half a window may never come together. Then the bytes must be
    // given back before the window is shut.
    if (
      this.#unreturnedBytes * 2 < this.#connectionWindowBytes &&
      this.#unreturnedBytes < this.#window.available
    )
      return;
    const increment = this.#unreturnedBytes;
    if (increment === 0) return;
    this.#unreturnedBytes = 0;
    this.#window.grant(increment);
    this.#writer.windowUpdate(0, increment);
  }

  /**
   * A new SETTINGS_INITIAL_WINDOW_SIZE of the server has come into force: every stream's window moves by the
   * difference (6.9.2). Bytes that were a small part of a larger window may now be all that a peer waits for.
   */
  changeStreamWindow(bytes: number, streams: readonly Http2Stream[]): void {
    const delta = bytes - this.streamWindowBytes;
    this.streamWindowBytes = bytes;
    for (const stream of streams) {
      const window = stream.receiveWindow;
      if (window === null) continue;
      window.adjust(delta);
      window.sizeBytes += delta;
      if (
        window.unreturnedBytes > 0 &&
        window.unreturnedBytes * 2 >= window.sizeBytes &&
        mayReceive(stream)
      ) {
        this.#update(stream, window, 0);
      }
    }
  }
}

/** Whether the peer may still send on the stream, and its content is wanted. */
function mayReceive({ state, requestDropped }: Http2Stream): boolean {
  return !requestDropped && (state === StreamState.Open || state === StreamState.HalfClosedLocal);
}
