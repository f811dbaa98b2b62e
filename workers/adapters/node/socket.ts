/**
 * What `req.socket` is in an application thread: the facts of the connection, and its end. There is no socket: the reactor
 * has it, and one connection carries many exchanges. What would read or write it is refused by name.
 */
import { EventEmitter } from 'node:events';
import type { Exchange } from '../../gateway.ts';
import type { NodePair } from './pair.ts';

const HIGH_WATER_MARK = 64 * 1024;

export class SocketError extends Error {
  readonly code = 'SLUICE_NO_SOCKET';

  constructor(member: string) {
    super(
      `expected an application that leaves the connection alone, it called socket.${member}(): the connection is the server's, and other exchanges may share it`,
    );
  }
}

export class ExchangeSocket extends EventEmitter {
  readonly #exchange: Exchange;
  readonly #pair: NodePair;
  #timer: NodeJS.Timeout | null = null;
  destroyed = false;
  /** Node's responses cork and uncork what they write to; everything of a turn leaves together here anyway. */
  writableCorked = 1;
  readonly _writableState = { corked: 0 };
  readonly writableHighWaterMark = HIGH_WATER_MARK;
  readonly readableHighWaterMark = HIGH_WATER_MARK;
  timeout = 0;

  constructor(exchange: Exchange, pair: NodePair) {
    super();
    this.#exchange = exchange;
    this.#pair = pair;
  }

  get remoteAddress(): string | undefined {
    return this.#exchange.request.remote.address || undefined;
  }
  get remotePort(): number | undefined {
    return this.#exchange.request.remote.port || undefined;
  }
  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    const { address } = this.#exchange.request.remote;
    return address === '' ? undefined : address.includes(':') ? 'IPv6' : 'IPv4';
  }

  // ---- TLS, as tls.TLSSocket has it

  /** What frameworks take for the scheme; behind a trusted proxy the client's. */
  get encrypted(): boolean {
    return this.#exchange.request.scheme === 'https';
  }
  get authorized(): boolean {
    return this.#exchange.request.tls?.authorized ?? false;
  }
  get alpnProtocol(): string | false {
    return this.#exchange.request.tls?.alpn ?? false;
  }
  get servername(): string | false {
    return this.#exchange.request.tls?.servername ?? false;
  }
  getProtocol(): string | null {
    return this.#exchange.request.tls?.version ?? null;
  }
  getCipher(): object {
    const { tls } = this.#exchange.request;
    return tls === null ? {} : { name: tls.cipher, standardName: tls.cipher, version: tls.version };
  }
  /** Without a certificate an empty object, as in Node. Names are objects of attributes. */
  getPeerCertificate(): object {
    const certificate = this.#exchange.request.tls?.clientCertificate ?? null;
    if (certificate === null) return {};
    return {
      subject: attributesOf(certificate.subject),
      issuer: attributesOf(certificate.issuer),
      fingerprint256: certificate.fingerprint256,
      raw: Buffer.from(certificate.raw),
    };
  }

  // ---- its state and its end

  get readable(): boolean {
    return !this.destroyed;
  }
  get writable(): boolean {
    return !this.destroyed;
  }
  get writableLength(): number {
    return this.#pair.waitingBytes;
  }
  get bytesWritten(): number {
    return this.#pair.sentBytes;
  }

  destroy(_error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.setTimeout(0);
    this.#pair.cutUnlessOver();
    return this;
  }

  /** `timeout` is emitted when nothing was read or written for so long; unlike Node's server nothing is destroyed by it. */
  setTimeout(ms: number, listener?: () => void): this {
    if (listener !== undefined) this.once('timeout', listener);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = ms > 0 && !this.destroyed ? setTimeout(() => this.#pair.timedOut(), ms).unref() : null;
    this.timeout = ms;
    return this;
  }

  /** Something was read or written. */
  touch(): void {
    this.#timer?.refresh();
  }

  // ---- options of a real socket that say nothing here: the server decides them

  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  cork(): void {}
  uncork(): void {}
  pause(): this {
    return this;
  }
  resume(): this {
    return this;
  }
  address(): object {
    return {};
  }

  // ---- what there is not

  write(): never {
    throw new SocketError('write');
  }
  end(): never {
    throw new SocketError('end');
  }
  read(): never {
    throw new SocketError('read');
  }
  pipe(): never {
    throw new SocketError('pipe');
  }
}

/** `CN=alice` lines to an object; what repeats is a list. */
function attributesOf(name: string): Record<string, string | string[]> {
  const attributes: Record<string, string | string[]> = {};
  for (const line of name.split('\n')) {
    const equals = line.indexOf('=');
    if (equals < 1) continue;
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1);
    const before = attributes[key];
    attributes[key] = before === undefined ? value : [before, value].flat();
  }
  return attributes;
}
