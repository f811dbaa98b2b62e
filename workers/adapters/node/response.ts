/**
 * `res`: an `http.ServerResponse` whose head and bytes go to an exchange.
 *
 * All public methods are Node's own, with their checks, implicit heads and events. They call `_storeHeader` with the head and `_writeRaw`
 * with bytes; the adapter replaces these two, and `end`, to know that nothing follows. The replacements are own properties, because
 * Express replaces prototypes, and shared functions, because every exchange has a response. `patches.ts` can therefore tell which methods
 * a layer has replaced.
 */
import { ServerResponse } from 'node:http';
import type { FlatFields } from '../../fields/flat.ts';
import type { Exchange } from '../../gateway.ts';
import { fieldsOf } from './header-text.ts';
import type { KnownHeads } from './known-heads.ts';
import type { Done } from './pieces.ts';
import { type Incoming, PAIR } from './request.ts';
import { collectedHead, type HeadOwner, type HeadSettings, writtenHead } from './response-head.ts';

/** What a response needs of its pair. */
export interface ResponseOwner extends HeadSettings {
  readonly exchange: Exchange;
  /** `res.socket`. */
  readonly socket: object;
  readonly options: { readonly heads: KnownHeads };
  /** The head is final and has not been sent. `fields` are null if they depend on the exchange. */
  headStored(status: number, flat: readonly string[], fields: FlatFields | null): void;
  /** An interim response, as text. */
  informed(text: string, done: Done): boolean;
  /** Bytes of the body. */
  written(data: string | Uint8Array, encoding: string | undefined, done: Done): boolean;
  /** `end()` has been called; `ended` or `abandonEnd` follows. */
  beginEnd(hasCallback: boolean): void;
  abandonEnd(): void;
  ended(): void;
}

/** Members of the class that Node's declarations leave out. */
export interface Outgoing extends ServerResponse, HeadOwner {
  [PAIR]: ResponseOwner;
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _closed: boolean;
  _trailer: string;
  destroyed: boolean;
  finished: boolean;
  _storeHeader(firstLine: string, headers: unknown): void;
  _writeRaw(data: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean;
}

/** What responses of a server are. */
export interface ResponseKind {
  readonly responseClass: typeof ServerResponse;
}

/** Node's declarations leave out the second argument. */
type NodesClass = new (req: Incoming, options: object) => ServerResponse;

/** Node takes any truthy `_header` for a head that has been sent. */
const STORED = ' ';

const ownSymbols = new Map(
  Object.getOwnPropertySymbols(
    new ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as never),
  ).map((symbol) => [symbol.description, symbol]),
);
const needDrain = symbolOf('kNeedDrain');
const outHeaders = symbolOf('kOutHeaders');

/** Node keeps some state under private symbols. A Node without them must fail at load, and not in a user's response. */
function symbolOf(description: string): symbol {
  const symbol = ownSymbols.get(description);
  if (symbol === undefined) {
    throw new Error(
      `expected http.ServerResponse of Node ${process.version} to keep ${description}, it does not`,
    );
  }
  return symbol;
}

/** @param options as Node's server passes them */
export function makeResponse(
  req: Incoming,
  pair: ResponseOwner,
  { responseClass }: ResponseKind,
  options: object,
): Outgoing {
  const res = new (responseClass as NodesClass)(req, options) as Outgoing;
  res[PAIR] = pair;
  (res as { socket: unknown }).socket = pair.socket;
  res._storeHeader = storeHeader;
  res._writeRaw = writeRaw;
  res.end = end as unknown as Outgoing['end'];
  return res;
}

/** Whether `end` is the adapter's own; a layer may have replaced it. */
export function hasOwnEnd(res: ServerResponse): boolean {
  return res.end === (end as unknown);
}

/** `_storeHeader`: `headers` is what `setHeader` collected, or the argument of `writeHead`. */
function storeHeader(this: Outgoing, _firstLine: string, headers: unknown): void {
  const pair = this[PAIR];
  const { heads } = pair.options;
  const isCollected = headers === (this as never)[outHeaders] && headers !== null;
  const known = isCollected ? null : heads.find(headers);
  if (known !== null) {
    if (known.contentLength !== null) {
      this._contentLength = known.contentLength;
      this._removedContLen = false;
    }
    pair.headStored(this.statusCode, known.fields.flat, known.fields);
  } else {
    const flat = isCollected ? collectedHead(this, pair, headers as never) : writtenHead(this, pair, headers);
    const fields = heads.fieldsOf(flat);
    if (fields !== null && !isCollected) heads.note(headers, fields);
    pair.headStored(this.statusCode, flat, fields);
  }
  markSent(this);
  if (!this.shouldKeepAlive && pair.exchange.request.version !== '2') pair.exchange.closeConnection();
}

/** Makes Node take the head for sent. */
export function markSent(res: Outgoing): void {
  res._header = STORED;
  res._headerSent = true;
  res.chunkedEncoding = false;
}

function writeRaw(
  this: Outgoing,
  data: string | Uint8Array,
  encoding?: unknown,
  callback?: unknown,
): boolean {
  const last = typeof encoding === 'function' ? encoding : callback;
  // `writeContinue` and its like pass any argument on, and a stream calls only functions.
  const done = typeof last === 'function' ? (last as () => void) : null;
  const pair = this[PAIR];
  // Before the head Node writes only interim responses, as text.
  if (this._header === null) return pair.informed(String(data), done);
  return pair.written(data, typeof encoding === 'string' ? encoding : undefined, done);
}

function end(this: Outgoing, chunk?: unknown, encoding?: unknown, callback?: unknown): Outgoing {
  const pair = this[PAIR];
  const wasFinished = this.finished;
  pair.beginEnd(
    typeof chunk === 'function' || typeof encoding === 'function' || typeof callback === 'function',
  );
  try {
    ServerResponse.prototype.end.call(this, chunk, encoding as BufferEncoding, callback as () => void);
  } catch (error) {
    pair.abandonEnd();
    throw error;
  }
  if (this.finished && !wasFinished) pair.ended();
  else pair.abandonEnd();
  return this;
}

/** As Node's `emitCloseNT`: later writes are dropped without an error. */
export function closeResponse(res: Outgoing): void {
  if (res._closed) return;
  markClosed(res);
  res.emit('close');
}

export function markClosed(res: Outgoing): void {
  res.destroyed = true;
  res._closed = true;
}

/** As on Node, a response that has been sent has no socket. */
export function detachSocket(res: Outgoing): void {
  (res as { socket: unknown }).socket = null;
}

/** Emits `drain` if the application waits for it: no bytes wait. */
export function drained(res: Outgoing): void {
  const state = res as unknown as { [key: symbol]: boolean };
  if (state[needDrain] !== true || res.finished || res.destroyed) return;
  state[needDrain] = false;
  res.emit('drain');
}

/** Trailer fields, which Node keeps as text. */
export function trailersOf(res: Outgoing): [name: string, value: string][] {
  return res._trailer === '' ? [] : fieldsOf(res._trailer.split('\r\n'));
}
