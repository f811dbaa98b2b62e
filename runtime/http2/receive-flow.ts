/**
 * Flow control of what we receive (RFC 9113 section 5.2): what the peer may still send, and when it is given
 * more.
 *
 * A byte counts from its frame's head on and is given back once: when it was padding, when the owner consumed
 * it, or when its stream closed before that. WINDOW_UPDATEs are saved up until half a window is owed.
 */
import { Window } from '../../wire/window.ts';
import type { FrameWriter } from './frame-writer.ts';
import { initialWindowBytes } from './frames.ts';
import type { Http2Stream } from './stream.ts';
import { StreamState } from './stream-state.ts';

export class ReceiveFlow {
  readonly #writer: FrameWriter;
  readonly #connectionWindowBytes: number;
  readonly #window = new Window(initialWindowBytes);
  #owedBytes = 0;
  /** What a stream's window is when all of it has been given back: the SETTINGS value in force. */
  streamWindowBytes = initialWindowBytes;

  constructor(writer: FrameWriter, connectionWindowBytes: number) {
    this.#writer = writer;
    this.#connectionWindowBytes = connectionWindowBytes;
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
    stream.receiveWindow ??= new Window(this.streamWindowBytes);
    if (bytes > stream.receiveWindow.available) return false;
    stream.receiveWindow.consume(bytes);
    stream.unconsumedBytes += bytes;
    return true;
  }

  /** The owner, or the engine for padding, is done with so many of the stream's bytes. */
  consume(stream: Http2Stream, bytes: number): void {
    stream.unconsumedBytes -= bytes;
    this.giveBackToConnection(bytes);
    // The peer sends no more on a stream that it has ended: an update would be noise.
    if (stream.state !== StreamState.Open && stream.state !== StreamState.HalfClosedLocal) return;
    stream.owedBytes += bytes;
    if (stream.owedBytes * 2 < this.streamWindowBytes) return;
    const increment = stream.owedBytes;
    stream.owedBytes = 0;
    stream.receiveWindow?.grant(increment);
    this.#writer.windowUpdate(stream.id, increment);
  }

  /** Bytes of a request that nobody reads: the connection gets them back, the stream's window stays shut. */
  discard(stream: Http2Stream, bytes: number): void {
    stream.unconsumedBytes -= bytes;
    if (bytes > 0) this.giveBackToConnection(bytes);
  }

  /** The stream is gone: what nobody consumed goes back to the connection. */
  release(stream: Http2Stream): void {
    const bytes = stream.unconsumedBytes;
    stream.unconsumedBytes = 0;
    if (bytes > 0) this.giveBackToConnection(bytes);
  }

  giveBackToConnection(bytes: number): void {
    this.#owedBytes += bytes;
    if (this.#owedBytes * 2 < this.#connectionWindowBytes) return;
    const increment = this.#owedBytes;
    this.#owedBytes = 0;
    this.#window.grant(increment);
    this.#writer.windowUpdate(0, increment);
  }

  /**
   * Our SETTINGS_INITIAL_WINDOW_SIZE has come into force: every stream's window moves by the difference
   * (6.9.2).
   */
  changeStreamWindow(bytes: number, streams: IterableIterator<Http2Stream>): void {
    const delta = bytes - this.streamWindowBytes;
    this.streamWindowBytes = bytes;
    for (const stream of streams) stream.receiveWindow?.adjust(delta);
  }
}
