/**
 * Frames (RFC 6455 section 5) on a tunnel: `ws` makes and reads them, masks, inflates and checks UTF-8; here they become
 * events and calls that wait. Knows nothing of opening, closing or time.
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
  /** What came is no WebSocket message, or over a limit: `code` is the Close that says so. Nothing is read after it. */
  onInvalid(code: number, why: string): void;
  /** Bytes that waited for the peer's credit have gone: it reads. Those that went at once say nothing of it. */
  onProgress(): void;
}

/**
 * A `PerMessageDeflate` of `ws`, by the part of it that shows: the published types must not import from `ws`, which has none.
 */
export interface Deflate {
  cleanup(): void;
}

export interface FramingOptions {
  readonly deflate: Deflate | null;
  readonly compressFromBytes: number;
  /** zlib's. */
  readonly compressionLevel: number;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
}

/** A tunnel of the host's own sends what need not wait without a promise. One that a layer has wrapped may not have it. */
interface QuickTunnel extends Tunnel {
  tryWrite?(chunk: Uint8Array): boolean;
}

/** A frame's head and its content are joined up to here: a copy costs less than a message of their own. */
const JOIN_BYTES = 16_384;
/**
 * The most that is read at once when it may be deflated, which is by a factor of 1032 at most: between two pieces the
 * application's reading is waited for, so what a chunk can inflate to is about 1 MiB and not a thousand times the window.
 */
const DEFLATED_PIECE_BYTES = 1_024;
/**
 * A frame that is sent a byte at a time would cost an object for each, a hundred times its bytes. A large one may come in
 * pieces of this size on average, and any in so many whatever their size; beyond it 1008.
 */
const LEAST_PIECE_BYTES = 256;
const FREE_PIECES = 1_024;
const PROTOCOL_ERROR = 1002;
/** Pongs that are on their way to the peer at once; of more Pings only the latest is answered. */
const MAX_PONGS = 16;

/** Section 7.4.1, by the names that `ws` gives to what it finds. All others are protocol errors. */
const CLOSE_CODES: { readonly [code: string]: number } = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  // What zlib says of content that is not deflated, by its own codes.
  Z_DATA_ERROR: 1007,
  Z_BUF_ERROR: 1007,
};

export class Framing implements Holder {
  readonly #tunnel: QuickTunnel;
  /** Null: what goes is not deflated. `own`: each message depends on those before it. */
  readonly #sharing: SharedDeflate | 'own' | null;
  readonly #outlet: Writable;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #options: FramingOptions;
  /** `over`: a Close or an error has come, and no frame may follow. */
  #reading: 'open' | 'over' = 'open';
  /** Shared frames of this turn, for which there is credit. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Messages that the peer's credit has not let go yet: what comes now goes behind them. */
  #sends = 0;
  /** Pongs that the peer's credit has not let go yet. */
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

  /** Most bytes that `receive` is to be given at once. */
  get pieceBytes(): number {
    return this.#options.deflate === null ? Number.POSITIVE_INFINITY : DEFLATED_PIECE_BYTES;
  }

  /** Resolves when everything that the bytes complete has been told. Never rejects. The bytes are unmasked in place. */
  receive(bytes: Uint8Array): Promise<void> | null {
    if (this.#reading === 'over') return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Its error is an event as well, where it is handled.
    this.#receiver.write(bytes, () => resolve());
    return promise;
  }

  /**
   * Resolves when the peer's credit has let it go; rejects when it cannot any more.
   * @param length of the message in bytes.
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

  /** Takes a message whose frame many share, for the end of the turn. False: it would wait, or no frame can be shared here. */
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
    // The tunnel's end is seen where it is read.
    tunnel.write(bytes).catch(() => undefined);
  }

  ping(): Promise<void> {
    return written((done) => this.#sender.ping(NO_BYTES, false, done));
  }

  /** @param code undefined: a Close without one. */
  close(code: number | undefined, reason: string): Promise<void> {
    this.flushHeld();
    return written((done) => this.#sender.close(code, reason, false, done));
  }

  /** Nothing is sent or read any more. Frees what the compression holds. */
  destroy(): void {
    this.#reading = 'over';
    this.#held = [];
    // First: a message whose deflating is cut short must not be framed.
    this.#outlet.destroy();
    this.#options.deflate?.cleanup();
  }

  /**
   * Each Ping of a burst is answered by itself. Section 5.5.3 lets the latest be answered alone, so a peer that pings and
   * does not read makes us hold `MAX_PONGS` answers and the latest Ping, and no more.
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

/** zlib deflates nothing with the smallest window as a peer with that window could inflate it. */
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

/** The tunnel as the stream that `ws` writes frames to. */
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
  // Whoever sends hears of it; the tunnel's end is seen where it is read.
  stream.on('error', () => undefined);
  return stream;
}
