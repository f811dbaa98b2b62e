/**
 * `req`: an `http.IncomingMessage` whose bytes are pulled from an exchange.
 *
 * Frameworks replace its prototype (Express) and test it with `instanceof`. It therefore is of Node's own class, and the adapter sets own
 * properties: `_read` and `_destroy`, which Readable leaves to its implementations.
 */
import { IncomingMessage } from 'node:http';
import { ReceivedFields } from '../../fields/received.ts';
import type { Exchange, ExchangeRequest } from '../../gateway.ts';

/** The key under which a request and a response keep their pair. */
export const PAIR = Symbol('sluice.pair');

/** What a request belongs to. */
export interface RequestOwner {
  /** What `req.socket` is. */
  readonly socket: object;
  /** Readable asks for more of the body. */
  pull(): void;
  /** The request is being destroyed. */
  requestDestroyed(error: Error | null): void;
}

/** Members of the class that Node's declarations leave out. */
export interface Incoming extends IncomingMessage {
  [PAIR]: RequestOwner;
  _consuming: boolean;
  upgrade: boolean;
  readonly _readableState: { readingMore: boolean };
  joinDuplicateHeaders: boolean;
  _addHeaderLine(name: string, value: string, into: object): void;
  _addHeaderLines(flat: readonly string[], count: number): void;
}

/** False if an emitter has no listeners of anything, which Node counts. A count that is not there is taken for some. */
export function hasListeners(emitter: object): boolean {
  return (emitter as { readonly _eventsCount?: number })._eventsCount !== 0;
}

/** What requests of a server are. */
export interface RequestKind {
  readonly requestClass: typeof IncomingMessage;
  readonly joinDuplicateHeaders: boolean;
  /** The request is to have the pseudo-fields of HTTP/2 among its headers. */
  readonly hasPseudoFields: boolean;
}

/** The request says HTTP/1.1, whatever it came over: for a lower version Node's response would read `te`, which would parse the headers. */
export function makeRequest(exchange: Exchange, owner: RequestOwner, kind: RequestKind): Incoming {
  const { request } = exchange;
  const req = new kind.requestClass(owner.socket as never) as Incoming;
  if (kind.joinDuplicateHeaders) req.joinDuplicateHeaders = true;
  req[PAIR] = owner;
  req._read = readBody;
  req._destroy = destroyRequest;
  req.method = request.method;
  req.url = request.path;
  const isEmpty = exchange.body.isAtEnd;
  const lines = linesOf(request, isEmpty, kind.hasPseudoFields);
  req._addHeaderLines(lines, lines.length);
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  req.httpVersion = '1.1';
  req.complete = isEmpty;
  req.upgrade = false;
  return req;
}

/** Sets another version than 1.1, which frameworks and gRPC read. */
export function setVersion(req: Incoming, version: string): void {
  req.httpVersionMajor = version === '2' ? 2 : 1;
  req.httpVersionMinor = version === '1.1' ? 1 : 0;
  req.httpVersion = version === '2' ? '2.0' : version;
}

/** The header lines as a flat list of names and values. Host is first (RFC 9110 section 7.2). */
function linesOf(request: ExchangeRequest, isEmpty: boolean, hasPseudo: boolean): readonly string[] {
  const flat = ReceivedFields.flat(request.fields);
  const { authority } = request;
  const own = authority === '' ? 0 : 2;
  // Of the exact size: the list of a shared head is frozen, and spreading it makes an object for each element.
  const lines = new Array<string>(own + flat.length);
  if (own > 0) {
    lines[0] = 'host';
    lines[1] = authority;
  }
  for (let i = 0; i < flat.length; i++) lines[own + i] = flat[i];
  if (hasPseudo) lines.unshift(...pseudoFieldsOf(request));
  if (request.protocol === 'websocket') lines.push('connection', 'Upgrade', 'upgrade', 'websocket');
  // Body parsers expect one of two fields if there is a body (RFC 9112 section 6.3). Over HTTP/2 a body may come without either.
  else if (!isEmpty && !request.fields.has('content-length')) lines.push('transfer-encoding', 'chunked');
  return lines;
}

/** The pseudo-fields of HTTP/2 (RFC 9113 section 8.3.1). */
export function pseudoFieldsOf({ method, authority, scheme, path }: ExchangeRequest): string[] {
  return [':method', method, ':authority', authority, ':scheme', scheme, ':path', path];
}

/** `_read`. */
function readBody(this: Incoming): void {
  if (!this._consuming) {
    // As Node's request does: nothing is read ahead before somebody reads.
    this._readableState.readingMore = false;
    this._consuming = true;
  }
  this[PAIR].pull();
}

/**
 * `_destroy`. As on Node, a request that is destroyed before its end takes its connection along, which here is its exchange. The owner is
 * told first, because Node's `_destroy` would wait for the end of a socket that is still open.
 */
function destroyRequest(this: Incoming, error: Error | null, callback: (error?: Error | null) => void): void {
  this[PAIR].requestDestroyed(error);
  IncomingMessage.prototype._destroy.call(this, error, callback);
}
