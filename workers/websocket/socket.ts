/**
 * A WebSocket on the server's side: messages in both directions, and the closing handshake.
 *
 *   open ──our Close──▶ closing ──their Close──▶ closed             clean: both Closes have been sent
 *   open ──their Close──▶ leaving ──our Close in response──▶ closed clean
 *   any ──an invalid frame, silence, the tunnel's end──▶ closed     not clean
 *
 * `leaving` exists for the messages before the peer's Close. The socket responds to that Close when the application has
 * handled those messages, or after `closeTimeoutMs`. So a peer that sends requests and closes at once still gets its
 * replies (RFC 6455 section 5.5.1 allows the delay).
 *
 * After `closed` the tunnel is still read and its input discarded, until the peer ends its side or `closeTimeoutMs` has
 * passed: if a connection is closed with unread bytes, the peer may never see this side's Close.
 *
 * Backpressure works in both directions through the tunnel's credit. The next piece of the tunnel is pulled when the
 * application has read; `send` resolves when the peer has read.
 */

import { contentOf, nameOf } from '../exchange/values.ts';
import type { Closed, Tunnel } from '../gateway.ts';
import { WebSocketError, WebSocketErrorCode } from './errors.ts';
import { type FrameEvents, Framing, type FramingOptions } from './framing.ts';
import { KeepAlive, type KeepAliveTarget, type Timers } from './keep-alive.ts';
import { type Message, MessageQueue } from './message-queue.ts';
import type { PreparedMessage } from './prepared.ts';

/** How a WebSocket ended. */
export interface WebSocketClosed {
  /**
   * The code of the peer's Close (RFC 6455 section 7.4); 1005 if that had none. Without a Close from the
   * peer: the code with which its invalid message was refused, or 1006.
   */
  readonly code: number;
  readonly reason: string;
  /** Both sides have sent a Close. */
  readonly wasClean: boolean;
}

export interface SocketOptions extends FramingOptions {
  readonly protocol: string;
  readonly maxUnreadBytes: number;
  readonly maxUnsentBytes: number;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/** RFC 6455 section 7.4.1. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const NO_STATUS = 1005;
const ABNORMAL = 1006;
const INTERNAL_ERROR = 1011;
/** Section 5.5: a control frame has at most 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

export class ServerWebSocket
  implements AsyncIterable<Message>, AsyncDisposable, FrameEvents, KeepAliveTarget
{
  /** The subprotocol that was chosen; empty for none. */
  readonly protocol: string;
  /** Resolves exactly once and never rejects. */
  readonly closed: Promise<WebSocketClosed>;
  readonly #tunnel: Tunnel;
  readonly #framing: Framing;
  readonly #messages: MessageQueue;
  readonly #keepAlive: KeepAlive;
  readonly #timers: Timers;
  readonly #options: SocketOptions;
  readonly #whenClosed = Promise.withResolvers<WebSocketClosed>();
  /** Resolves when both sides of the tunnel are over. */
  readonly #over: Promise<unknown>;
  readonly #ended = Promise.withResolvers<void>();
  #closeSent: Promise<void> = Promise.resolve();
  #state: 'open' | 'leaving' | 'closing' | 'closed' = 'open';
  /** The peer's Close, if it came first. */
  #theirs: WebSocketClosed | null = null;
  #unsentBytes = 0;
  #closeTimer: unknown = null;

  constructor(
    tunnel: Tunnel,
    tunnelClosed: Promise<Closed>,
    draining: AbortSignal,
    options: SocketOptions,
    timers: Timers,
  ) {
    this.#tunnel = tunnel;
    this.#timers = timers;
    this.#options = options;
    this.protocol = options.protocol;
    this.closed = this.#whenClosed.promise;
    this.#messages = new MessageQueue(options.maxUnreadBytes);
    this.#framing = new Framing(tunnel, this, options);
    this.#keepAlive = new KeepAlive(this, timers, options.pingIntervalMs, options.pongTimeoutMs);
    this.#over = Promise.all([this.#readTunnel(), this.#ended.promise]).then(() => this.#release());
    tunnel.atReturn((failed) => this.#returned(failed));
    // A socket whose application does not read learns of the end here.
    void tunnelClosed.then(() => this.#lose('the connection was lost'));
    draining.addEventListener('abort', () => this.#beginClose(GOING_AWAY, ''), { once: true });
  }

  // ---- the application's side

  /** Bytes of messages that still wait for the peer's credit. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /**
   * Sends a message: text as a string, binary as bytes, which must not change until the promise resolves. It
   * resolves when the peer's credit has let the whole message leave, so awaiting it gives the application
   * backpressure.
   * @throws WebSocketError (as a rejection) `SLUICE_WEBSOCKET_CLOSED`, and `SLUICE_WEBSOCKET_BACKLOG` if it
   * is called repeatedly without being awaited; GatewayError (at once) `SLUICE_VALUE_INVALID` for a value
   * that is neither text nor bytes
   */
  send(message: string | Uint8Array): Promise<void> {
    if (this.#state !== 'open' && this.#state !== 'leaving') {
      return handled(Promise.reject(this.#isClosed()));
    }
    const length =
      typeof message === 'string' ? Buffer.byteLength(message) : contentOf(message, 'a message').length;
    const limit = this.#options.maxUnsentBytes;
    if (this.#unsentBytes > 0 && this.#unsentBytes + length > limit) {
      const expected = `sent messages to be awaited (maxUnsentBytes is ${limit})`;
      const received = `${length} more bytes while ${this.#unsentBytes} wait`;
      return handled(Promise.reject(new WebSocketError(WebSocketErrorCode.Backlog, expected, received)));
    }
    this.#unsentBytes += length;
    const sent = this.#framing.send(message, length).then(
      () => {
        this.#unsentBytes -= length;
      },
      () => {
        this.#unsentBytes -= length;
        throw this.#isClosed();
      },
    );
    return handled(sent);
  }

  /**
   * Sends a message for many sockets, whose frame is made once. It goes behind what was sent before.
   * @returns false if it was not sent: the socket is closed, or the peer does not read and more than
   * `maxUnsentBytes` would wait for it. The caller decides whether the peer misses the message or is
   * disconnected.
   */
  trySend(message: PreparedMessage): boolean {
    if (this.#state !== 'open' && this.#state !== 'leaving') return false;
    if (this.#framing.trySend(message)) return true;
    const { length, data } = message;
    if (this.#unsentBytes > 0 && this.#unsentBytes + length > this.#options.maxUnsentBytes) return false;
    void this.send(data);
    return true;
  }

  /**
   * Begins the closing handshake; what was sent before still leaves. Idempotent: the first Close counts.
   * @param code 1000, or one from 1001 to 1014 that may be sent, or 3000 to 4999 (RFC 6455 section 7.4)
   * @param reason at most 123 bytes in UTF-8
   * @returns `closed`
   * @throws WebSocketError `SLUICE_WEBSOCKET_CLOSE_INVALID`
   */
  close(code: number = NORMAL, reason = ''): Promise<WebSocketClosed> {
    checkClose(code, reason);
    this.#beginClose(code, reason);
    return this.closed;
  }

  /**
   * Iterates over the messages until the socket closes for any reason; `closed` says why. Can be iterated
   * once.
   */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return {
      next: () => this.#messages.next(),
      return: () => {
        this.#messages.leave();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  /** Leaving the scope closes the socket with 1000. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The application's function is over, so the socket closes. */
  async #returned(failed: boolean): Promise<void> {
    this.#beginClose(failed ? INTERNAL_ERROR : NORMAL, '');
    await this.#over;
  }

  #release(): void {
    this.#timers.clearTimeout(this.#closeTimer);
    this.#framing.destroy();
  }

  // ---- reading

  /** Ends with the tunnel's reading side. Never rejects. */
  async #readTunnel(): Promise<void> {
    try {
      for await (const chunk of this.#tunnel.read) {
        this.#keepAlive.heard();
        await this.#take(chunk);
      }
      // A peer that has sent a Close and ended its side still reads this side.
      if (this.#state === 'leaving') return;
    } catch {
      // The tunnel was reset: by the peer, by the server, or by this socket after a timeout.
    }
    this.#lose('the connection was lost');
  }

  async #take(chunk: Uint8Array): Promise<void> {
    const pieceBytes = this.#framing.pieceBytes;
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      const piece = pieceBytes >= chunk.length ? chunk : chunk.subarray(at, at + pieceBytes);
      const read = this.#framing.receive(piece);
      if (read === null) return;
      await read;
      await this.#messages.room();
      if (this.#state === 'closed') return;
    }
  }

  /** The application is behind with reading, so the peer is not read. */
  get isHeld(): boolean {
    return this.#messages.isFull;
  }

  // ---- FrameEvents

  onMessage(message: Message): void {
    this.#messages.push(message);
  }

  onClose(code: number, reason: string): void {
    const closed = { code, reason, wasClean: true };
    if (this.#state !== 'open') {
      this.#finish(closed);
      return;
    }
    this.#state = 'leaving';
    this.#theirs = closed;
    this.#keepAlive.stop();
    this.#messages.end();
    this.#closeTimer = this.#timers.setTimeout(() => this.#answerClose(), this.#options.closeTimeoutMs);
    this.#messages.whenRead(() => this.#answerClose());
  }

  #answerClose(): void {
    if (this.#theirs === null) return;
    const { code } = this.#theirs;
    this.#beginClose(code === NO_STATUS ? undefined : code, '');
  }

  onInvalid(code: number, why: string): void {
    this.#beginClose(code, '');
    this.#finish({ code, reason: why, wasClean: false });
  }

  onProgress(): void {
    this.#keepAlive.heard();
  }

  // ---- KeepAliveTarget

  ping(): void {
    // A Ping that cannot leave gets no response, which is noticed next.
    this.#framing.ping().catch(() => undefined);
  }

  onSilence(): void {
    this.#lose(`the peer did not answer a ping for ${this.#options.pongTimeoutMs} ms`);
    this.#tunnel.reset();
  }

  // ---- closing

  /**
   * Sends this side's Close, first or in response.
   * @param code undefined: without a code
   */
  #beginClose(code: number | undefined, reason: string): void {
    if (this.#state !== 'open' && this.#state !== 'leaving') return;
    this.#state = 'closing';
    this.#keepAlive.stop();
    // The application does not want what the peer still sends, but the peer's Close may follow it.
    this.#messages.end();
    this.#timers.clearTimeout(this.#closeTimer);
    this.#closeTimer = this.#timers.setTimeout(() => this.#closeLate(), this.#options.closeTimeoutMs);
    this.#closeSent = this.#framing.close(code, reason).catch(() => {
      // The tunnel is gone; its reader notices that.
    });
    if (this.#theirs !== null) this.#finish(this.#theirs);
  }

  #closeLate(): void {
    this.#lose(`the peer sent no Close within ${this.#options.closeTimeoutMs} ms`);
    this.#tunnel.reset();
  }

  /** The peer is gone, or this side no longer waits for it. */
  #lose(why: string): void {
    if (this.#state === 'closed') return;
    this.#keepAlive.stop();
    this.#finish({ code: this.#theirs?.code ?? ABNORMAL, reason: why, wasClean: false });
  }

  /** Ends the socket: nothing more is to be sent, and this side of the tunnel ends after its Close. */
  #finish(closed: WebSocketClosed): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#messages.end();
    void this.#closeSent.then(() => this.#endTunnel());
    this.#whenClosed.resolve(closed);
  }

  #endTunnel(): void {
    try {
      this.#tunnel.end();
    } catch {
      // The tunnel was reset.
    }
    this.#ended.resolve();
  }

  #isClosed(): WebSocketError {
    return new WebSocketError(WebSocketErrorCode.Closed, 'an open WebSocket', `one that is ${this.#state}`);
  }
}

/**
 * An application that does not wait for its sends learns of the end through `closed`. The rejection must not
 * end its thread.
 */
function handled(sent: Promise<void>): Promise<void> {
  sent.catch(() => undefined);
  return sent;
}

function checkClose(code: unknown, reason: unknown): void {
  // These three are never sent; they say that no code was sent (section 7.4.1). 1004 is reserved.
  const isSendable =
    typeof code === 'number' &&
    Number.isInteger(code) &&
    ((code >= 1000 && code < 1004) || (code > ABNORMAL && code <= 1014) || (code >= 3000 && code <= 4999));
  if (!isSendable) {
    throw new WebSocketError(
      WebSocketErrorCode.CloseInvalid,
      'a code that may be sent: 1000 to 1003, 1007 to 1014 or 3000 to 4999',
      nameOf(code),
    );
  }
  if (typeof reason !== 'string') {
    throw new WebSocketError(WebSocketErrorCode.CloseInvalid, 'a reason of text', nameOf(reason));
  }
  const bytes = Buffer.byteLength(reason);
  if (bytes > MAX_REASON_BYTES) {
    throw new WebSocketError(
      WebSocketErrorCode.CloseInvalid,
      `a reason of at most ${MAX_REASON_BYTES} bytes`,
      `${bytes} bytes`,
    );
  }
}
