/**
 * Flow control of what we receive (RFC 9113 section 5.2): what the peer may still send, and when it is given
 * more.
 *
 * A byte counts from its frame's head on and is given back once: when it was padding, when the owner consumed
 * it, or when its stream closed before that. WINDOW_UPDATEs are saved up until half a window is owed.
 *
 * A stream's window grows while the owner consumes half of it faster than an update takes to come back as content:
 * then it is the window that holds the peer back. An owner that is slow lets more time pass, and one that stalls
 * gets to no update at all, so neither is given more to leave lying about.
 *
 * What windows grow by is lent: every stream that may be opened keeps its initial window in the connection's, and only
 * what that leaves over is shared out, to come back when its stream closes. So however far windows have grown, streams
 * that stall cannot use up another's room.
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
 * What content needs beside the network's round trip to come to be consumed: the way to the owner's thread and back, through
 * two event loops under load.
 */
const ownerTripMs = 2;

export class ReceiveFlow {
  readonly #writer: FrameWriter;
  readonly #roundTrip: RoundTrip;
  readonly #connectionWindowBytes: number;
  readonly #maxStreamWindowBytes: number;
  readonly #window = new Window(initialWindowBytes);
  #owedBytes = 0;
  /** What stream windows may still grow by. */
  #lendableBytes: number;
  /** What a stream's window is to begin with: the SETTINGS value in force. */
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
   * A DATA frame's whole payload counts for the connection, whatever becomes of it.
   * @returns false: over the window.
   */
  receiveOnConnection(bytes: number): boolean {
    if (bytes > this.#window.available) return false;
    this.#window.consume(bytes);
    return true;
  }

  /** @returns false: over the stream's window. The bytes have not been counted for the stream then. */
  receiveOnStream(stream: Http2Stream, bytes: number): boolean {
    stream.receiveWindow ??= new ReceiveWindow(this.streamWindowBytes);
    if (bytes > stream.receiveWindow.available) return false;
    stream.receiveWindow.consume(bytes);
    stream.unconsumedBytes += bytes;
    return true;
  }

  /** The owner, or the engine for padding, is done with so many of the stream's bytes. */
  consume(stream: Http2Stream, bytes: number, nowMs: number): void {
    stream.unconsumedBytes -= bytes;
    this.giveBackToConnection(bytes);
    // The peer sends no more on a stream that it has ended: an update would be noise.
    if (!mayReceive(stream)) return;
    const window = stream.receiveWindow as ReceiveWindow;
    window.owedBytes += bytes;
    if (window.owedBytes * 2 >= window.sizeBytes) this.#update(stream, window, this.#grow(window, nowMs));
  }

  #update(stream: Http2Stream, window: ReceiveWindow, growthBytes: number): void {
    const increment = window.owedBytes + growthBytes;
    window.owedBytes = 0;
    window.grant(increment);
    this.#writer.windowUpdate(stream.id, increment);
  }

  /**
   * Half a window has been consumed since the last update. Whether the peer was held back cannot be seen from here (over
   * a long way our window looks open while the update that opened it is travelling), but it follows from the pace.
   * @returns what the window grows by.
   */
  #grow(window: ReceiveWindow, nowMs: number): number {
    const sinceMs = window.updatedAtMs;
    window.updatedAtMs = nowMs;
    const most = this.#maxStreamWindowBytes - window.sizeBytes;
    // The first half may have lain ready; it shows no pace.
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

  /** Bytes of a request that nobody reads: the connection gets them back, the stream's window stays shut. */
  discard(stream: Http2Stream, bytes: number): void {
    stream.unconsumedBytes -= bytes;
    if (bytes > 0) this.giveBackToConnection(bytes);
  }

  /** The stream is gone: what nobody consumed goes back to the connection, and so does what it was lent. */
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
    this.#owedBytes += bytes;
    // When much lies unread on other streams, half a window may never come together: then what is owed must not be kept
    // back until the window is shut.
    if (this.#owedBytes * 2 < this.#connectionWindowBytes && this.#owedBytes < this.#window.available) return;
    const increment = this.#owedBytes;
    if (increment === 0) return;
    this.#owedBytes = 0;
    this.#window.grant(increment);
    this.#writer.windowUpdate(0, increment);
  }

  /**
   * Our SETTINGS_INITIAL_WINDOW_SIZE has come into force: every stream's window moves by the difference
   * (6.9.2). What was little of a larger window may be all that a peer waits for now.
   */
  changeStreamWindow(bytes: number, streams: IterableIterator<Http2Stream>): void {
    const delta = bytes - this.streamWindowBytes;
    this.streamWindowBytes = bytes;
    for (const stream of streams) {
      const window = stream.receiveWindow;
      if (window === null) continue;
      window.adjust(delta);
      window.sizeBytes += delta;
      if (window.owedBytes > 0 && window.owedBytes * 2 >= window.sizeBytes && mayReceive(stream)) {
        this.#update(stream, window, 0);
      }
    }
  }
}

/** The peer has not ended the stream, and what it sends is wanted. */
function mayReceive({ state, requestDropped }: Http2Stream): boolean {
  return !requestDropped && (state === StreamState.Open || state === StreamState.HalfClosedLocal);
}
