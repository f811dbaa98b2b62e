/**
 * The socket of an `upgrade` listener: a Duplex over a tunnel. A listener first writes an HTTP/1.1 response as text, then, after a 101, its
 * own protocol. The socket parses the first bytes as a head and answers the exchange with it, whatever version the exchange came over.
 */
import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { Exchange, Tunnel } from '../../gateway.ts';
import { FIELDS_OF_CONNECTION } from '../fields-of-connection.ts';
import { FACTS, REQUEST } from './connection-facts.ts';
import { fieldsOf } from './header-text.ts';
import { refuseOthers, SocketError } from './refused-members.ts';
import { type Incoming, makeRequest, type RequestOwner } from './request.ts';
import type { ServerFace } from './server-face.ts';
import { passForSocket, setSocketTimeout } from './socket.ts';

/** The longest head that a listener may write. */
const MAX_HEAD_BYTES = 64 * 1024;
const CANCEL = 0x8;
const INTERNAL_ERROR = 0x2;
const HEAD_END = Buffer.from('\r\n\r\n');
type Done = (error?: Error | null) => void;

export class UpgradeSocket extends Duplex implements RequestOwner {
  readonly request: Incoming;
  readonly server: object;
  /** Node's timers follow this to a wrapped socket; there is none. */
  readonly _parent = null;
  /** Node's own: restarts the timeout after something was read or written. */
  declare readonly _unrefTimer: () => void;
  readonly #exchange: Exchange;
  readonly #isKeyless: boolean;
  #head: Buffer[] = [];
  #headBytes = 0;
  #state: 'head' | 'tunnel' | 'response' = 'head';
  #tunnel: Tunnel | null = null;
  #reader: AsyncIterator<Uint8Array> | null = null;
  #isPulling = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  readonly #hold = Promise.withResolvers<void>();
  /** The listener's mistake that ended its exchange. */
  #failure: { readonly error: unknown } | null = null;

  constructor(exchange: Exchange, face: ServerFace) {
    super({ allowHalfOpen: true });
    this.server = face.server;
    this.#exchange = exchange;
    this.request = makeRequest(exchange, this, face.plain);
    this.request.upgrade = true;
    this.#isKeyless = exchange.request.protocol === 'websocket' && exchange.request.version === '2';
    const isConnect = exchange.request.protocol === '';
    this.request.method = isConnect ? 'CONNECT' : 'GET';
    // A CONNECT has an authority in place of a path (RFC 9112, section 3.2.3).
    if (isConnect) this.request.url = exchange.request.authority;
    if (this.#isKeyless) {
      const key = ['sec-websocket-key', randomBytes(16).toString('base64')];
      const lines = [...this.request.rawHeaders, ...key];
      this.request._addHeaderLines(lines, lines.length);
    }
    // A cut exchange destroys its socket with an error. On a real socket Node's server would listen for it.
    this.on('error', () => undefined);
    void exchange.closed.then(({ how }) => {
      if (how === 'reset' && !this.destroyed) this.destroy(exchange.signal.reason as Error);
      // A socket that nobody reads does not close by itself.
      else this.#hold.resolve();
    });
    // Nobody waits for the hold if a listener throws.
    this.#hold.promise.catch(() => undefined);
    this.once('close', () => {
      if (this.#failure === null) this.#hold.resolve();
      else this.#hold.reject(this.#failure.error);
    });
  }

  /** Resolves when the socket is closed or the exchange is complete; rejects with the error of `fail`. */
  held(): Promise<void> {
    return this.#hold.promise;
  }

  /** The listener has failed. The host logs the error and answers, as for every application that fails. */
  fail(error: unknown): void {
    if (this.destroyed) return;
    this.#failure = { error };
    this.destroy(error instanceof Error ? error : new Error('the upgrade listener failed', { cause: error }));
  }

  // ---- RequestOwner: a request for a tunnel has no content of its own

  get socket(): this {
    return this;
  }
  pull(): void {
    this.request.complete = true;
    this.request.push(null);
  }
  /** Node's request destroys this socket itself. */
  requestDestroyed(): void {}

  // ---- members of net.Socket that a Duplex lacks; those of `ConnectionFacts` are copied below

  get [REQUEST](): Exchange['request'] {
    return this.#exchange.request;
  }
  get bytesRead(): number {
    return this.#bytesRead;
  }
  get bytesWritten(): number {
    return this.#bytesWritten;
  }
  get bufferSize(): number {
    return this.writableLength;
  }
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
  resetAndDestroy(): this {
    return this.destroy();
  }
  /** Emits `timeout` when nothing was read or written for so long. As on Node, only the listener acts on it. */
  setTimeout(ms: number, listener?: () => void): this {
    return setSocketTimeout(this, ms, listener);
  }
  override destroy(error?: Error): this {
    // A timeout has no effect on a destroyed socket.
    if (!this.destroyed) this.setTimeout(0);
    return super.destroy(error);
  }

  // ---- writing

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#state === 'head') this.#takeHead(chunk, done);
    else this.#send(chunk, done);
  }

  #send(bytes: Uint8Array, done: Done): void {
    this.#bytesWritten += bytes.length;
    this._unrefTimer();
    if (bytes.length === 0) done();
    else
      (this.#tunnel ?? this.#exchange).write(bytes).then(
        () => {
          this._unrefTimer();
          done();
        },
        (error) => this.#refuse(error, done),
      );
  }

  #takeHead(chunk: Buffer, done: Done): void {
    this.#head.push(chunk);
    this.#headBytes += chunk.length;
    const bytes = Buffer.concat(this.#head);
    const end = bytes.indexOf(HEAD_END);
    if (end === -1) {
      if (this.#headBytes <= MAX_HEAD_BYTES) done();
      else {
        const expected = `expected an upgrade listener to write a response head of at most ${MAX_HEAD_BYTES} bytes`;
        this.#refuse(new Error(`${expected}, it wrote ${this.#headBytes} without its end`), done);
      }
      return;
    }
    this.#head = [];
    try {
      this.#answer(bytes.toString('latin1', 0, end));
    } catch (error) {
      this.#refuse(error as Error, done);
      return;
    }
    this.#send(bytes.subarray(end + HEAD_END.length), done);
  }

  /** The written bytes cannot be sent. */
  #refuse(error: Error, done: Done): void {
    this.#failure ??= { error };
    done(error);
  }

  #answer(head: string): void {
    const [line = '', ...lines] = head.split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1]);
    if (Number.isNaN(status))
      throw new Error(
        `expected an upgrade listener to write an HTTP response first, it wrote ${line.slice(0, 100)}`,
      );
    const fields = fieldsOf(lines).filter(([name]) => !FIELDS_OF_CONNECTION.has(name));
    if (status === 101 || (status === 200 && this.request.method === 'CONNECT')) {
      const own = this.#isKeyless ? fields.filter(([name]) => name !== 'sec-websocket-accept') : fields;
      this.#tunnel = this.#exchange.accept(own);
      this.#state = 'tunnel';
      this.#pull();
    } else {
      this.#exchange.respond(status, fields);
      this.#state = 'response';
    }
  }

  override _final(done: Done): void {
    if (this.#state === 'head') {
      this.#refuse(new Error('expected an upgrade listener to answer before it ends the socket'), done);
      return;
    }
    (this.#tunnel ?? this.#exchange).end();
    // After a refusal nothing is read. The socket closes although its listener does not read to the end.
    if (this.#state === 'response') {
      this.push(null);
      this.resume();
    }
    done();
  }

  // ---- reading

  override _read(): void {
    if (this.#state === 'tunnel') this.#pull();
  }

  #pull(): void {
    const tunnel = this.#tunnel as Tunnel;
    this.#reader ??= tunnel.read[Symbol.asyncIterator]();
    if (this.#isPulling) return;
    this.#isPulling = true;
    this.#reader.next().then(
      ({ value, done }) => {
        this.#isPulling = false;
        this.#bytesRead += value?.length ?? 0;
        this._unrefTimer();
        if (done === true) this.#ended();
        else if (this.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))) this.#pull();
      },
      (error: Error) => this.destroy(error),
    );
  }

  /** As on a real socket, `end` is emitted although nobody reads, if nothing is left to be read. */
  #ended(): void {
    this.push(null);
    this.read(0);
  }

  override _destroy(error: Error | null, done: Done): void {
    const isWhole = this.writableFinished && (this.readableEnded || this.#state === 'response');
    // Listeners write a refusal and destroy the socket; a real socket has sent the refusal by then.
    if (this.#state === 'response' && error === null && !isWhole) this.#exchange.end();
    else if (!isWhole && this.#failure === null)
      this.#exchange.reset(error === null ? CANCEL : INTERNAL_ERROR);
    done(error);
  }

  static {
    Object.defineProperties(UpgradeSocket.prototype, FACTS);
    refuseOthers(UpgradeSocket.prototype, (socket, member) => socket.fail(new SocketError(member)));
    passForSocket(UpgradeSocket.prototype, Duplex.prototype);
  }
}
