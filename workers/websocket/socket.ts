/**
 * A WebSocket on the server's side: messages both ways, and the closing handshake.
 *
 *   open ──our Close──▶ closing ──their Close──▶ closed             clean: both Closes have been sent
 *   open ──their Close──▶ leaving ──our answer to it──▶ closed      clean
 *   any ──an invalid frame, silence, the tunnel's end──▶ closed     not clean
 *
 * `leaving` is for the messages in front of their Close: we answer it when the application has handled those, or after
 * `closeTimeoutMs`, so that who asks and closes at once still gets its answers (RFC 6455 section 5.5.1 lets us delay).
 *
 * After `closed` the tunnel is still read, and what comes thrown away, until the peer ends its side or `closeTimeoutMs` has
 * passed: on a connection that is closed with unread bytes the peer may never get to see our Close.
 *
 * Backpressure goes both ways through the tunnel's credit. The next piece of the tunnel is pulled when the
 * application has read; `send` resolves when the peer has.
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
   * The code of the peer's Close (RFC 6455 section 7.4), 1005 when that had none. Without a Close from the peer: the code
   * that its invalid message was refused with, or 1006.
   */
  readonly code: number;
  readonly reason: string;
  /** Both sides have said Close. */
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
  /** Settles exactly once and never rejects. */
  readonly closed: Promise<WebSocketClosed>;
  readonly #tunnel: Tunnel;
  readonly #framing: Framing;
  readonly #messages: MessageQueue;
  readonly #keepAlive: KeepAlive;
  readonly #timers: Timers;
  readonly #options: SocketOptions;
  readonly #whenClosed = Promise.withResolvers<WebSocketClosed>();
  /** Both sides of the tunnel are over. */
  readonly #over: Promise<unknown>;
  readonly #ended = Promise.withResolvers<void>();
  #closeSent: Promise<void> = Promise.resolve();
  #state: 'open' | 'leaving' | 'closing' | 'closed' = 'open';
  /** The peer's Close, when it came first. */
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
    // A socket whose application does not read finds out here.
    void tunnelClosed.then(() => this.#lose('the connection was lost'));
    draining.addEventListener('abort', () => this.#beginClose(GOING_AWAY, ''), { once: true });
  }

  // ---- the application's side

  /** Bytes of messages that the peer's credit has not let go yet. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /**
   * Send a message: text as a string, binary as bytes, which must stay as they are until it resolves. It resolves when the
   * peer's credit has let all of it go, so awaiting it is the application's backpressure.
   * @throws WebSocketError (as a rejection) `SLUICE_WEBSOCKET_CLOSED`, and `SLUICE_WEBSOCKET_BACKLOG` when it is called
   * again and again without being awaited; GatewayError (at once) `SLUICE_VALUE_INVALID` for what is neither text nor bytes
   */
  send(message: string | Uint8Array): Promise<void> {
    if (this.#state !== 'open' && this.#state !== 'leaving') {
      return handled(Promise.reject(this.#isClosed()));
    }
    const length =
      typeof message === 'string' ? Buffer.byteLength(message) : contentOf(message, 'a message').length;
    const limit = this.#options.maxUnsentBytes;
    if (this.#unsentBytes > 0 && this.#unsentBytes + length > limit) {
      const expected = `what is sent to be awaited (maxUnsentBytes is ${limit})`;
      const received = `${length} bytes more behind ${this.#unsentBytes} that wait`;
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
   * Send a message that many sockets get, whose frame is made once. It goes behind what was sent before.
   * @returns false when it was not sent: the socket is closed, or the peer does not read and more than `maxUnsentBytes` would
   * wait for it. The caller decides whether that peer goes without the message, or goes.
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
   * Begin the closing handshake; what was sent before still goes. Idempotent: the first Close counts.
   * @param code 1000, or 1001 to 1014 as far as they may be sent, or 3000 to 4999 (RFC 6455 section 7.4).
   * @param reason at most 123 bytes in UTF-8.
   * @returns `closed`
   * @throws WebSocketError `SLUICE_WEBSOCKET_CLOSE_INVALID`
   */
  close(code: number = NORMAL, reason = ''): Promise<WebSocketClosed> {
    checkClose(code, reason);
    this.#beginClose(code, reason);
    return this.closed;
  }

  /** The messages until the socket closes, for whatever reason: `closed` says why. Iterated once. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return {
      next: () => this.#messages.next(),
      return: () => {
        this.#messages.leave();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  /** Leaving the scope closes with 1000. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The application's function is over, and so is the socket. */
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
      // A peer that said Close and ended its side still reads ours.
      if (this.#state === 'leaving') return;
    } catch {
      // Reset: by the peer, by the server, or by us after a timeout.
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
      this.#settle(closed);
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
    this.#settle({ code, reason: why, wasClean: false });
  }

  onProgress(): void {
    this.#keepAlive.heard();
  }

  // ---- KeepAliveTarget

  ping(): void {
    // A Ping that cannot go is answered by nobody, which is found out next.
    this.#framing.ping().catch(() => undefined);
  }

  onSilence(): void {
    this.#lose(`the peer did not answer a ping for ${this.#options.pongTimeoutMs} ms`);
    this.#tunnel.reset();
  }

  // ---- closing

  /** Our Close, first or in answer. @param code undefined: without one. */
  #beginClose(code: number | undefined, reason: string): void {
    if (this.#state !== 'open' && this.#state !== 'leaving') return;
    this.#state = 'closing';
    this.#keepAlive.stop();
    // What the peer still sends is for nobody, and its Close may be behind it.
    this.#messages.end();
    this.#timers.clearTimeout(this.#closeTimer);
    this.#closeTimer = this.#timers.setTimeout(() => this.#closeLate(), this.#options.closeTimeoutMs);
    this.#closeSent = this.#framing.close(code, reason).catch(() => {
      // The tunnel is gone, which is seen where it is read.
    });
    if (this.#theirs !== null) this.#settle(this.#theirs);
  }

  #closeLate(): void {
    this.#lose(`no Close came from the peer within ${this.#options.closeTimeoutMs} ms`);
    this.#tunnel.reset();
  }

  /** The peer is gone, or is given up. */
  #lose(why: string): void {
    if (this.#state === 'closed') return;
    this.#keepAlive.stop();
    this.#settle({ code: this.#theirs?.code ?? ABNORMAL, reason: why, wasClean: false });
  }

  /** Nothing more is to be said: our side of the tunnel ends behind our Close. */
  #settle(closed: WebSocketClosed): void {
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
      // It has been reset.
    }
    this.#ended.resolve();
  }

  #isClosed(): WebSocketError {
    return new WebSocketError(WebSocketErrorCode.Closed, 'an open WebSocket', `one that is ${this.#state}`);
  }
}

/** An application that does not wait for its sends hears of the end by `closed`; it must not end its thread. */
function handled(sent: Promise<void>): Promise<void> {
  sent.catch(() => undefined);
  return sent;
}

function checkClose(code: unknown, reason: unknown): void {
  // These three are never sent: they say that no code was (section 7.4.1); 1004 is reserved.
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
