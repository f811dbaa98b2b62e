/**
 * What `req.socket` is in an application thread: the facts of the connection, and its end, which is the end of the exchange. There is
 * no socket: the reactor has it, and one connection carries many exchanges.
 *
 * Nothing throws here that a net.Socket does not throw: much of what destroys a socket or writes to it runs in a timer or a callback,
 * where an exception ends the thread and with it every other exchange. What cannot be done fails this exchange, by name.
 */
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { Exchange } from '../../gateway.ts';
import { ConnectionFacts, makeSettable, REQUEST } from './connection-facts.ts';
import { refuseOthers, SocketError } from './refused-members.ts';

const HIGH_WATER_MARK = 64 * 1024;

/** What a socket tells, and is told by, what it belongs to. */
export interface SocketOwner {
  /** Bytes of the response that wait, and that have gone; bytes of the request that have come. */
  readonly waitingBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The `http.Server`, where the application is one. */
  readonly server: object | null;
  /** The response that is not over. */
  readonly message: object | null;
  connectionDestroyed(): void;
  /** The connection is to be destroyed when what was written has gone. */
  destroyWhenSent(): void;
  timedOut(): void;
  fail(error: unknown): void;
}

/** A call that cannot be done fails the exchange, by the member's name. */
export let refuseMember: (socket: ExchangeSocket, member: string) => void;

export class ExchangeSocket extends ConnectionFacts {
  readonly #exchange: Exchange;
  readonly #owner: SocketOwner;
  /** `ended`: nothing more will be written. */
  #state: 'open' | 'ended' | 'destroyed' = 'open';
  #isPaused = false;
  errored: Error | null = null;
  /** Node's responses cork and uncork what they write to; everything of a turn leaves together here anyway. */
  writableCorked = 1;
  readonly _writableState = { corked: 0 };
  timeout: number | undefined = undefined;
  /** A socket in which this one would be wrapped, for Node's code. */
  declare readonly _parent: null;
  /** Node's own: something was read or written. */
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
  /** By which Node's `assignSocket` and `detachSocket` know whose socket it is. */
  get _httpMessage(): object | null {
    return this.#owner.message;
  }

  // ---- its state, as streams have it

  get destroyed(): boolean {
    return this.#state === 'destroyed';
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
  /** What comes for the exchange comes by `req`, so this stream never ends: it is destroyed. */
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
    return this.#state === 'ended';
  }
  get writableFinished(): boolean {
    return this.#state === 'ended' && this.#owner.waitingBytes === 0;
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
  /** Of content: heads, frames and TLS are the reactor's. */
  get bytesRead(): number {
    return this.#owner.receivedBytes;
  }
  get bytesWritten(): number {
    return this.#owner.sentBytes;
  }
  get bufferSize(): number {
    return this.#owner.waitingBytes;
  }
  /** Those of node:http may be half open. */
  get allowHalfOpen(): boolean {
    return true;
  }

  // ---- its end

  destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    // Of one that is destroyed it has no effect.
    this.setTimeout(0);
    this.#state = 'destroyed';
    this.errored = error ?? null;
    this.#owner.connectionDestroyed();
    process.nextTick(emitEnd, this, this.errored);
    return this;
  }

  /** What was written leaves first; a response that was not ended by then is cut off. */
  destroySoon(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#owner.destroyWhenSent();
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  /** Half of a connection cannot be closed for one exchange. */
  end(data?: unknown, encoding?: unknown, callback?: unknown): this {
    const done = [data, encoding, callback].find((each) => typeof each === 'function');
    if (done !== undefined) this.once('close', done as () => void);
    if (data !== undefined && data !== null && data !== done) this.#refuse('end');
    else this.destroySoon();
    return this;
  }

  /** As on a socket of node:http, which its server listens to: an error that nobody else listens to ends it, and no thread. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'error' || this.listenerCount('error') > 0) return super.emit(event, ...args);
    this.destroy(args[0] instanceof Error ? args[0] : null);
    return false;
  }

  // ---- time

  /** Node's own: `timeout` is emitted when nothing was read or written for so long, and where nobody hears it the connection is destroyed. */
  setTimeout(ms: number, listener?: () => void): this {
    // There is nothing left to limit; on Node the connection may be closed by now.
    if (this.#owner.message === null) return this;
    return setSocketTimeout(this, ms, listener);
  }

  /** What Node's timer calls. */
  _onTimeout(): void {
    this.#owner.timedOut();
  }

  // ---- what says nothing here

  cork(): void {}
  uncork(): void {}
  setDefaultEncoding(): this {
    return this;
  }
  /** Whether `req` is read is what holds the peer back. */
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
  /** All that comes is the server's, as on a socket that node:http reads. */
  read(): null {
    return null;
  }
  unpipe(): this {
    return this;
  }

  // ---- what there is not

  /** As node:http's own sockets do. */
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
    Object.defineProperty(ExchangeSocket.prototype, '_parent', { value: null, writable: true });
    passForSocket(ConnectionFacts.prototype, EventEmitter.prototype);
  }
}

/** As `setTimeout` of a net.Socket. */
export function setSocketTimeout<Kind>(socket: Kind, ms: number, listener?: () => void): Kind {
  Socket.prototype.setTimeout.call(socket as never, ms, listener);
  return socket;
}

/** Lets objects of a prototype pass `instanceof net.Socket`, with the methods that they have without it. */
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
