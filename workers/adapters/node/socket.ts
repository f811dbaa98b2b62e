/**
 * `req.socket` in an application thread: facts about the connection, and an end that is the end of the exchange. The reactor has the real
 * socket, and one connection carries many exchanges.
 *
 * No method throws unless `net.Socket` would. Code that destroys a socket or writes to it often runs in a timer or a callback, where an
 * exception would end the thread and every other exchange with it. A method that a thread cannot provide fails this exchange by name.
 */
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { Exchange } from '../../gateway.ts';
import { ConnectionFacts, makeSettable, REQUEST } from './connection-facts.ts';
import { refuseOthers, SocketError } from './refused-members.ts';

const HIGH_WATER_MARK = 64 * 1024;

/** `_writableState` is Node's own: it writes `corked` there and nothing here reads it, so one serves all sockets. */
const INITIALLY = {
  errored: null,
  timeout: undefined,
  writableCorked: 1,
  _writableState: { corked: 0 },
  _parent: null,
};

/** What a socket needs of its pair. */
export interface SocketOwner {
  /** Bytes of the response that wait and that were sent, and bytes of the request that were received. */
  readonly waitingBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The application's `http.Server`. */
  readonly server: object | null;
  /** The response; null when it has been sent. */
  readonly message: object | null;
  connectionDestroyed(): void;
  /** Destroys the socket when everything written has been sent. */
  destroyWhenSent(): void;
  timedOut(): void;
  fail(error: unknown): void;
}

/** Fails the exchange with an error that names the member. */
export let refuseMember: (socket: ExchangeSocket, member: string) => void;

export class ExchangeSocket extends ConnectionFacts {
  readonly #exchange: Exchange;
  readonly #owner: SocketOwner;
  /** `ended`: `end` or `destroySoon` was called; `closed`: destroyed after that, when everything written had been sent; `destroyed`: otherwise. */
  #state: 'open' | 'ended' | 'closed' | 'destroyed' = 'open';
  #isPaused = false;
  declare errored: Error | null;
  /** Node's responses cork and uncork their socket. Here everything written in one turn is sent together anyway. */
  declare writableCorked: number;
  declare readonly _writableState: { corked: number };
  declare timeout: number | undefined;
  /** Node's timers follow this to a wrapped socket; there is none. */
  declare readonly _parent: null;
  /** Node's own: restarts the timeout after something was read or written. */
  declare readonly _unrefTimer: () => void;

  constructor(exchange: Exchange, owner: SocketOwner) {
    super();
    this.#exchange = exchange;
    this.#owner = owner;
  }

  get [REQUEST](): Exchange['request'] {
    return this.#exchange.request;
  }
  get server(): object | null {
    return this.#owner.server;
  }
  /** Node's `assignSocket` and `detachSocket` compare this with their response. */
  get _httpMessage(): object | null {
    return this.#owner.message;
  }

  // ---- stream state

  get destroyed(): boolean {
    return this.#state === 'destroyed' || this.#state === 'closed';
  }
  get closed(): boolean {
    return this.destroyed;
  }
  get readable(): boolean {
    return !this.destroyed;
  }
  get writable(): boolean {
    return this.#state === 'open';
  }
  /** `req` delivers the content, so this stream does not end; it is destroyed. */
  get readableEnded(): boolean {
    return false;
  }
  get readableAborted(): boolean {
    return this.destroyed;
  }
  get readableFlowing(): boolean {
    return !this.#isPaused;
  }
  get readableLength(): number {
    return 0;
  }
  get readableBuffer(): unknown[] {
    return [];
  }
  get readableDidRead(): boolean {
    return false;
  }
  get readableEncoding(): null {
    return null;
  }
  get readableObjectMode(): boolean {
    return false;
  }
  get writableBuffer(): unknown[] {
    return [];
  }
  get writableObjectMode(): boolean {
    return false;
  }
  get readableHighWaterMark(): number {
    return HIGH_WATER_MARK;
  }
  get writableEnded(): boolean {
    return this.#state === 'ended' || this.#state === 'closed';
  }
  get writableFinished(): boolean {
    return this.#state === 'closed' || (this.#state === 'ended' && this.#owner.waitingBytes === 0);
  }
  get writableLength(): number {
    return this.#owner.waitingBytes;
  }
  get writableNeedDrain(): boolean {
    return this.#owner.waitingBytes >= HIGH_WATER_MARK;
  }
  get writableHighWaterMark(): number {
    return HIGH_WATER_MARK;
  }
  /** Counts content only; heads, frames and TLS are the reactor's. */
  get bytesRead(): number {
    return this.#owner.receivedBytes;
  }
  get bytesWritten(): number {
    return this.#owner.sentBytes;
  }
  get bufferSize(): number {
    return this.#owner.waitingBytes;
  }
  /** Sockets of node:http may be half open. */
  get allowHalfOpen(): boolean {
    return true;
  }

  // ---- its end

  destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    // A timeout has no effect on a destroyed socket.
    this.setTimeout(0);
    this.#state = this.writableFinished ? 'closed' : 'destroyed';
    this.errored = error ?? null;
    this.#owner.connectionDestroyed();
    process.nextTick(emitEnd, this, this.errored);
    return this;
  }

  /** Everything written is sent first; a response that has not been ended by then is cut off. */
  destroySoon(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#owner.destroyWhenSent();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  /** One exchange cannot half-close its connection, so this is `destroySoon`. */
  end(data?: unknown, encoding?: unknown, callback?: unknown): this {
    const done = [data, encoding, callback].find((each) => typeof each === 'function');
    if (done !== undefined) this.once('close', done as () => void);
    if (data !== undefined && data !== null && data !== done) this.#refuse('end');
    else this.destroySoon();
    return this;
  }

  /** On Node the server listens for errors of its sockets. An `error` without another listener therefore destroys the socket, and does not end the thread. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'error' || this.listenerCount('error') > 0) return super.emit(event, ...args);
    this.destroy(args[0] instanceof Error ? args[0] : null);
    return false;
  }

  // ---- time

  /** As on Node: `timeout` is emitted when nothing was read or written for so long, and without a listener the socket is destroyed. */
  setTimeout(ms: number, listener?: () => void): this {
    // The response is over, so there is nothing to limit; on Node the connection may be closed by now.
    if (this.#owner.message === null) return this;
    return setSocketTimeout(this, ms, listener);
  }

  /** Node's timer calls this. */
  _onTimeout(): void {
    this.#owner.timedOut();
  }

  // ---- without effect

  cork(): void {}
  uncork(): void {}
  setDefaultEncoding(): this {
    return this;
  }
  /** Backpressure follows from reading `req`, not from the socket. */
  pause(): this {
    this.#isPaused = true;
    return this;
  }
  resume(): this {
    this.#isPaused = false;
    return this;
  }
  isPaused(): boolean {
    return this.#isPaused;
  }
  /** node:http reads its sockets itself, so there is never anything to read. */
  read(): null {
    return null;
  }
  unpipe(): this {
    return this;
  }

  // ---- refused

  /** Sockets of node:http throw this too. */
  setEncoding(): never {
    throw Object.assign(new Error('Changing the socket encoding is not allowed per RFC7230 Section 3.'), {
      code: 'ERR_HTTP_SOCKET_ENCODING',
    });
  }

  write(_data: unknown, encoding?: unknown, callback?: unknown): boolean {
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done as () => void, new SocketError('write'));
    this.#refuse('write');
    return false;
  }

  pipe<Destination>(destination: Destination): Destination {
    this.#refuse('pipe');
    return destination;
  }

  unshift(): boolean {
    this.#refuse('unshift');
    return false;
  }

  #refuse(member: string): void {
    this.#owner.fail(new SocketError(member));
  }

  static {
    refuseMember = (socket, member) => socket.#refuse(member);
    refuseOthers(ExchangeSocket.prototype, refuseMember);
    makeSettable(ExchangeSocket.prototype);
    // Members that few sockets change are the prototype's until then: every exchange has a socket.
    for (const [member, value] of Object.entries(INITIALLY)) {
      Object.defineProperty(ExchangeSocket.prototype, member, { value, configurable: true, writable: true });
    }
    passForSocket(ConnectionFacts.prototype, EventEmitter.prototype);
  }
}

/** Calls `setTimeout` of `net.Socket`. */
export function setSocketTimeout<Kind>(socket: Kind, ms: number, listener?: () => void): Kind {
  Socket.prototype.setTimeout.call(socket as never, ms, listener);
  return socket;
}

/** Makes objects of a prototype instances of `net.Socket`, while they keep the methods of their own base. */
export function passForSocket(prototype: object, own: object): void {
  for (let of: object = own; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const [member, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(of))) {
      if (!Object.hasOwn(prototype, member)) Object.defineProperty(prototype, member, descriptor);
    }
  }
  Object.setPrototypeOf(prototype, Socket.prototype);
}

function emitEnd(socket: ExchangeSocket, error: Error | null): void {
  if (error !== null && socket.listenerCount('error') > 0) socket.emit('error', error);
  socket.emit('close', error !== null);
}
