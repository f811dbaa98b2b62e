/**
 * Frames (RFC 6455 section 5) on a tunnel. `ws` writes and reads frames, masks, inflates and checks UTF-8.
 * This class turns that into events and awaitable calls. It knows nothing about opening, closing or time.
 */
import { Writable } from 'node:stream';
import { type PerMessageDeflate, Receiver, Sender } from 'ws';
import type { Tunnel } from '../gateway.ts';
import { flushSoon, type Holder, join } from './held-frames.ts';
import type { PreparedMessage, SharedDeflate } from './prepared.ts';

export interface FrameEvents {
  onMessage(message: string | Uint8Array): void;
  /** The peer's Close; 1005: it had no code (section 7.1.5). */
  onClose(code: number, reason: string): void;
  /**
   * The input is no valid WebSocket message, or exceeds a limit; `code` is the code for the Close. Nothing is
   * read after it.
   */
  onInvalid(code: number, why: string): void;
  /**
   * Bytes that waited for the peer's credit have left, so the peer reads. Bytes that left at once do not show
   * that.
   */
  onProgress(): void;
}

/**
 * The part of a `PerMessageDeflate` of `ws` that is visible: the published types must not import from `ws`,
 * which has no types.
 */
export interface Deflate {
  cleanup(): void;
}

export interface FramingOptions {
  readonly deflate: Deflate | null;
  readonly compressFromBytes: number;
  /** zlib's level. */
  readonly compressionLevel: number;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
}

/**
 * The host's own tunnel sends without a promise if nothing has to wait. A tunnel that a middleware has
 * wrapped may lack this.
 */
interface QuickTunnel extends Tunnel {
  tryWrite?(chunk: Uint8Array): boolean;
}

/** Up to this size a frame's head and content are joined: a copy costs less than a separate message. */
const JOIN_BYTES = 16_384;
/**
 * The most that is read at once if it may be deflated, which is by a factor of at most 1032. Between two
 * pieces the reader waits for the application to read. So one piece can inflate to about 1 MiB, and not to a
 * thousand times the window.
 */
const DEFLATED_PIECE_BYTES = 1_024;
/**
 * A frame sent one byte at a time would cost an object per byte, a hundred times its size. So the pieces of a
 * large frame must have this size on average. Any frame may come in `FREE_PIECES` pieces, whatever their
 * size. Beyond both: 1008.
 */
const LEAST_PIECE_BYTES = 256;
const FREE_PIECES = 1_024;
const PROTOCOL_ERROR = 1002;
/** Pongs that may be on their way to the peer at once. Of further Pings only the latest is answered. */
const MAX_PONGS = 16;

/**
 * Close codes of section 7.4.1, by the names of the errors that `ws` reports. All others are protocol errors.
 */
const CLOSE_CODES: { readonly [code: string]: number } = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  // zlib's codes for content that is not validly deflated.
  Z_DATA_ERROR: 1007,
  Z_BUF_ERROR: 1007,
};

export class Framing implements Holder {
  readonly #tunnel: QuickTunnel;
  /** Null: sent messages are not deflated. `own`: each message depends on the ones before it. */
  readonly #sharing: SharedDeflate | 'own' | null;
  readonly #outlet: Writable;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #options: FramingOptions;
  /** `over`: a Close or an error has arrived, and no frame may follow. */
  #reading: 'open' | 'over' = 'open';
  /** Shared frames of this turn, for which there is credit. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Messages that still wait for the peer's credit; new ones go behind them. */
  #sends = 0;
  /** Pongs that still wait for the peer's credit. */
  #pongs = 0;
  #pongWaiting: Buffer | null = null;

  constructor(tunnel: Tunnel, events: FrameEvents, options: FramingOptions) {
    this.#tunnel = tunnel;
    this.#sharing = sharingOf(options);
    this.#outlet = outlet(tunnel, events);
    this.#options = options;
    const { deflate } = options;
    const extensions = deflate === null ? {} : { 'permessage-deflate': deflate as PerMessageDeflate };
    this.#sender = new Sender(this.#outlet, extensions);
    this.#receiver = new Receiver({
      isServer: true,
      extensions,
      maxPayload: options.maxMessageBytes,
      maxFragments: options.maxFragments,
      maxBufferedChunks: FREE_PIECES + Math.floor(options.maxMessageBytes / LEAST_PIECE_BYTES),
      allowSynchronousEvents: true,
    });
    this.#receiver.on('message', (data, isBinary) => events.onMessage(isBinary ? data : data.toString()));
    this.#receiver.on('ping', (data) => this.#answerPing(data));
    this.#receiver.on('conclude', (code, reason) => {
      this.#reading = 'over';
      events.onClose(code, reason.toString());
    });
    this.#receiver.on('error', ({ code = '', message }) => {
      this.#reading = 'over';
      events.onInvalid(CLOSE_CODES[code] ?? PROTOCOL_ERROR, message);
    });
  }

  /** The most bytes that `receive` may be given at once. */
  get pieceBytes(): number {
    return this.#options.deflate === null ? Number.POSITIVE_INFINITY : DEFLATED_PIECE_BYTES;
  }

  /**
   * Resolves when the events of everything that the bytes complete have been delivered. Never rejects. The
   * bytes are unmasked in place.
   */
  receive(bytes: Uint8Array): Promise<void> | null {
    if (this.#reading === 'over') return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    // The error is also an event, which is handled there.
    this.#receiver.write(bytes, () => resolve());
    return promise;
  }

  /**
   * Resolves when the peer's credit has let the message leave; rejects if it never can.
   * @param length of the message in bytes
   */
  send(message: string | Uint8Array, length: number): Promise<void> {
    const binary = typeof message !== 'string';
    const compress = this.#options.deflate !== null && length >= this.#options.compressFromBytes;
    this.flushHeld();
    this.#sends++;
    return written((done) =>
      this.#sender.send(message, { binary, compress, fin: true, mask: false }, (error) => {
        this.#sends--;
        done(error);
      }),
    );
  }

  /**
   * Holds a message whose frame is shared by many sockets until the end of the turn. False: it would have to
   * wait, or this socket cannot share frames.
   */
  trySend(message: PreparedMessage): boolean {
    if (this.#sends > 0) return false;
    const { compressFromBytes } = this.#options;
    if (this.#sharing === 'own' && message.length >= compressFromBytes) return false;
    const frame = message.frame(this.#sharing === 'own' ? null : this.#sharing);
    if (this.#heldBytes + frame.length > this.#tunnel.writableBytes) return false;
    this.#held.push(frame);
    this.#heldBytes += frame.length;
    if (this.#held.length === 1) flushSoon(this);
    return true;
  }

  flushHeld(): void {
    if (this.#held.length === 0) return;
    const bytes = join(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    const tunnel = this.#tunnel;
    if (tunnel.tryWrite?.(bytes) === true) return;
    // The reader of the tunnel notices its end.
    tunnel.write(bytes).catch(() => undefined);
  }

  ping(): Promise<void> {
    return written((done) => this.#sender.ping(NO_BYTES, false, done));
  }

  /** @param code undefined: a Close without a code */
  close(code: number | undefined, reason: string): Promise<void> {
    this.flushHeld();
    return written((done) => this.#sender.close(code, reason, false, done));
  }

  /** Nothing more is sent or read. Frees the memory of the compression. */
  destroy(): void {
    this.#reading = 'over';
    this.#held = [];
    // This comes first: a message whose deflating is interrupted must not be framed.
    this.#outlet.destroy();
    this.#options.deflate?.cleanup();
  }

  /**
   * Each Ping of a burst is answered. Section 5.5.3 allows answering only the latest. So a peer that sends
   * Pings and does not read makes this side hold at most `MAX_PONGS` Pongs and the latest Ping.
   */
  #answerPing(data: Buffer): void {
    if (this.#pongs === MAX_PONGS) {
      this.#pongWaiting = data;
      return;
    }
    this.#pongs++;
    this.#sender.pong(data, false, () => {
      this.#pongs--;
      const waiting = this.#pongWaiting;
      this.#pongWaiting = null;
      if (waiting !== null && this.#reading === 'open') this.#answerPing(waiting);
    });
  }
}

/** With the smallest window, zlib deflates nothing in a way that a peer with that window could inflate. */
const LEAST_WINDOW_BITS = 9;
const WINDOW_BITS = 15;

function sharingOf({
  deflate,
  compressFromBytes,
  compressionLevel,
}: FramingOptions): SharedDeflate | 'own' | null {
  if (deflate === null) return null;
  const { params } = deflate as PerMessageDeflate;
  const windowBits = Number(params?.server_max_window_bits ?? WINDOW_BITS);
  if (params?.server_no_context_takeover !== true || windowBits < LEAST_WINDOW_BITS) return 'own';
  return { level: compressionLevel, windowBits, fromBytes: compressFromBytes };
}

const NO_BYTES = Buffer.alloc(0);

function written(send: (done: (error?: Error | null) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  send((error) => (error ? reject(error) : resolve()));
  return promise;
}

/** The tunnel, as the stream to which `ws` writes frames. */
function outlet(tunnel: Tunnel, events: FrameEvents): Writable {
  const write = (chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void => {
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    const waits = bytes > tunnel.writableBytes;
    const sent =
      bytes <= JOIN_BYTES
        ? tunnel.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes))
        : Promise.all(chunks.map((chunk) => tunnel.write(chunk)));
    sent.then(() => {
      if (waits) events.onProgress();
      done();
    }, done);
  };
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => write([chunk], done),
    writev: (chunks, done) =>
      write(
        chunks.map(({ chunk }) => chunk as Buffer),
        done,
      ),
  });
  // The sender gets the error; the reader of the tunnel notices its end.
  stream.on('error', () => undefined);
  return stream;
}
