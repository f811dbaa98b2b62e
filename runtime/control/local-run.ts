/**
 * Answers an exchange within the server. To the exchange it looks like a thread: it grants credit, reads the request and sends the response under the
 * peer's credit, so a slow or hostile client meets the same bounds as with an application.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Flag, ResetReason } from '../../wire/messages.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ExchangeJob } from '../exchange/exchange-job.ts';
import type { JobThread } from '../pools/job.ts';
import { ControlCode, ControlRefusal, errorText } from './errors.ts';
import type { ControlExchange, ControlHandler } from './routes.ts';

const JSON_TYPE = 'application/json';
const NO_BYTES = Buffer.alloc(0);
/** Bytes of one piece of a response. */
const MAX_PIECE_BYTES = 65_536;
const INTERNAL_ERROR = 0x2;
/** Refusals of a client that must not go on: the connection ends with them, so that asking again costs a new one. */
const ENDS_CONNECTION: ReadonlySet<number> = new Set([401, 403, 421, 429]);
const FAILED = new ControlRefusal(500, ControlCode.Failed, 'an internal error of the server; see its log');

export interface LocalRunOptions {
  /** Initial credit: bytes that the client need not have read. */
  readonly responseWindowBytes: number;
  /** Request bytes that are accepted; the exchange refuses more. */
  readonly requestWindowBytes: number;
  /** Fields of every answer. */
  readonly fields: readonly string[];
}

export interface LocalRunOwner {
  /** Called before each call that the exchange passes on to its connection. */
  tick(): void;
  /** A route has thrown something other than a refusal. */
  onFailure(error: unknown, method: string, path: string): void;
  /**
   * The client has shown that it may ask.
   * @throws ControlRefusal if it may not now
   */
  onLetIn(run: LocalRun): void;
  /** How long a route has to wait before it may take the reactor's time; 0: not at all. */
  waitMs(): number;
  /** A route has taken so much of the reactor's time. */
  spend(ms: number): void;
  /** The route has returned, and nothing of the answer waits for the client. */
  onOver(run: LocalRun): void;
}

export class LocalRun implements ControlExchange, JobThread {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authority: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** See `letIn`. */
  isLetIn = false;
  readonly channel: JobThread['channel'];
  readonly canAdopt = false;
  readonly tally = { requestBytes: 0, responseBytes: 0 };
  readonly #job: ExchangeJob<Exchange>;
  readonly #owner: LocalRunOwner;
  readonly #options: LocalRunOptions;
  readonly #abort = new AbortController();
  /** `none`: no head yet. `cut`: the client has left. */
  #response: 'none' | 'head' | 'ended' | 'cut' = 'none';
  #credit: number;
  #whenCredit: PromiseWithResolvers<void> | null = null;
  readonly #pieces: Buffer[] = [];
  #body: PromiseWithResolvers<Buffer> | null = null;
  #isBodyWhole = false;
  /** What has not ended yet: the route, and the exchange. */
  #unended = 2;

  constructor(exchange: Exchange, options: LocalRunOptions, owner: LocalRunOwner) {
    const [path = '', query] = split(exchange.path);
    this.method = exchange.method;
    this.path = path;
    this.query = new URLSearchParams(query);
    this.authority = exchange.authority;
    this.remoteAddress = exchange.remoteAddress;
    this.remotePort = exchange.remotePort;
    this.#job = exchange.job;
    this.#options = options;
    this.#owner = owner;
    this.#credit = options.responseWindowBytes;
    this.channel = {
      maxDataRecordBytes: MAX_PIECE_BYTES,
      sendData: (_slot, flags, bytes, start, end) => this.#onData(flags, bytes, start, end),
      sendTrailers: () => this.#onBodyEnd(),
      sendCredit: (_slot, bytes) => this.#onCredit(bytes),
      sendReset: () => this.#onReset(),
      // There are no pushes here.
      sendPromised: () => true,
    };
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Never rejects. */
  async run(find: () => ControlHandler): Promise<void> {
    const job = this.#job;
    job.state = 'assigned';
    job.thread = this;
    if (job.awaitsOnlyResponse) this.#onBodyEnd();
    // Takes what has been received already.
    else this.#tell(() => job.sendPending());
    try {
      await this.#handle(find());
      if (this.#response === 'none') this.#head(204, [], NO_BYTES, Flag.End);
      else if (this.#response === 'head') this.end();
    } catch (error) {
      this.#fail(error);
    }
    this.#release();
    this.onEnded();
  }

  /** What strangers may ask costs too little for them to wait. */
  async #handle(handler: ControlHandler): Promise<void> {
    if (!this.isLetIn) return handler(this);
    const owner = this.#owner;
    // Others may have taken the time meanwhile.
    for (let ms = owner.waitMs(); ms > 0; ms = owner.waitMs())
      await delay(ms, undefined, { signal: this.signal, ref: false });
    const beganMs = performance.now();
    let answered: Promise<void> | void;
    try {
      answered = handler(this);
    } finally {
      owner.spend(performance.now() - beganMs);
    }
    await answered;
  }

  /** The exchange has ended, or the route. */
  onEnded(): void {
    this.#unended--;
    if (this.#unended === 0) this.#owner.onOver(this);
  }

  #fail(error: unknown): void {
    if (this.#response === 'cut') return;
    const isRefusal = error instanceof ControlRefusal;
    if (!isRefusal) this.#owner.onFailure(error, this.method, this.path);
    if (this.#response === 'head') {
      this.#response = 'ended';
      this.#tell(() => this.#job.onReset(INTERNAL_ERROR, ResetReason.Threw));
    } else if (this.#response === 'none') {
      const { status, code, message, fields } = isRefusal ? error : FAILED;
      const ends = ENDS_CONNECTION.has(status);
      this.#whole(status, errorText(code, message), fields, ends);
      // HTTP/2 has a budget for it.
      if (ends) this.#tell(() => this.#job.exchange.transport.provoked?.(this.#job.exchange));
    }
  }

  #release(): void {
    const job = this.#job;
    if (job.thread !== this) return;
    job.thread = null;
    job.state = 'released';
    this.#tell(() => job.onReleased());
  }

  // ---- ControlExchange

  body(): Promise<Buffer> {
    if (this.#body === null) {
      this.#body = Promise.withResolvers();
      // The route may no longer wait for it when it rejects.
      this.#body.promise.catch(() => undefined);
      if (this.#response === 'cut') this.#body.reject(this.signal.reason);
      else if (this.#isBodyWhole) this.#resolveBody();
      else this.#tell(() => this.#job.onCredit(this.#options.requestWindowBytes, 0));
    }
    return this.#body.promise;
  }

  letIn(): void {
    this.isLetIn = true;
    this.#owner.onLetIn(this);
  }

  async json(): Promise<unknown> {
    const text = (await this.body()).toString();
    if (text.trim() === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new ControlRefusal(400, ControlCode.BadJson, `expected a body of JSON, got ${String(error)}`);
    }
  }

  field(name: string): string | undefined {
    const { fields } = this.#job.exchange;
    let found: string | undefined;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== name) continue;
      if (found !== undefined) return undefined;
      found = fields[i + 1];
    }
    return found;
  }

  answer(status: number, value: unknown, fields: readonly string[] = []): void {
    if (this.#response !== 'none' && this.#response !== 'cut') throw new Error('there is an answer already');
    this.#whole(status, `${JSON.stringify(value)}\n`, fields);
  }

  /** The answer is sent in one piece, whatever the peer's credit, because the server limits the size of its own answers. */
  #whole(status: number, text: string, more: readonly string[], ends = false): void {
    const bytes = Buffer.from(text);
    const fields = ['content-type', JSON_TYPE, 'content-length', String(bytes.length), ...more];
    this.#head(status, fields, bytes, Flag.End | (ends ? Flag.CloseConnection : 0));
  }

  respond(status: number, type: string): void {
    if (this.#response !== 'none' && this.#response !== 'cut') throw new Error('there is an answer already');
    this.#head(status, ['content-type', type], NO_BYTES, 0);
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let start = 0; start < bytes.length; ) {
      while (this.#credit <= 0 && this.#response === 'head') await this.#moreCredit();
      if (this.#response === 'cut') throw this.signal.reason;
      if (this.#response !== 'head') throw new Error('expected a head that respond() began');
      const end = Math.min(bytes.length, start + Math.min(this.#credit, MAX_PIECE_BYTES));
      this.#credit -= end - start;
      const from = start;
      this.#tell(() => this.#job.onData(0, bytes, from, end));
      start = end;
    }
  }

  end(): void {
    if (this.#response !== 'head') return;
    this.#response = 'ended';
    this.#tell(() => this.#job.onData(Flag.End, NO_BYTES, 0, 0));
  }

  #head(status: number, fields: string[], bytes: Buffer, flags: number): void {
    if (this.#response !== 'none') return;
    this.#response = (flags & Flag.End) !== 0 ? 'ended' : 'head';
    this.#credit -= bytes.length;
    const all = [...fields, ...this.#options.fields];
    this.#tell(() => this.#job.onHead(flags, status, all, bytes, 0, bytes.length));
  }

  #moreCredit(): Promise<void> {
    this.#whenCredit ??= Promise.withResolvers();
    return this.#whenCredit.promise;
  }

  /** An internal error ends the connection, as everywhere. */
  #tell(what: () => void): void {
    this.#owner.tick();
    try {
      what();
    } catch (error) {
      this.#job.onFault(error);
    }
  }

  // ---- from the exchange

  #onData(flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (end > start) {
      // The buffer belongs to the socket and is valid only during this call.
      this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
      // Grants the credit soon, because the body is limited, but not within this call, because the exchange is still executing its own.
      queueMicrotask(() => {
        if (this.#job.thread === this) this.#tell(() => this.#job.onCredit(0, end - start));
      });
    }
    return (flags & Flag.End) !== 0 ? this.#onBodyEnd() : true;
  }

  #onBodyEnd(): boolean {
    this.#isBodyWhole = true;
    this.#resolveBody();
    return true;
  }

  #resolveBody(): void {
    this.#body?.resolve(Buffer.concat(this.#pieces));
  }

  #onCredit(bytes: number): boolean {
    this.#credit += bytes;
    this.#whenCredit?.resolve();
    this.#whenCredit = null;
    return true;
  }

  #onReset(): boolean {
    if (this.#response !== 'ended') this.#response = 'cut';
    this.#abort.abort(new Error('the client has left, or the server ends'));
    this.#body?.reject(this.signal.reason);
    this.#whenCredit?.resolve();
    this.#whenCredit = null;
    return true;
  }

  waitForRoom(): void {
    // There is always room.
  }

  requestTurn(): void {
    // Nothing is published.
  }

  adopt(): boolean {
    return false;
  }
}

function split(target: string): [string, string?] {
  const query = target.indexOf('?');
  return query === -1 ? [target] : [target.slice(0, query), target.slice(query + 1)];
}
