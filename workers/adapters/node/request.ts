/**
 * `req`: a real `http.IncomingMessage` whose bytes are pulled from an exchange.
 *
 * Frameworks exchange its prototype (Express) and test it with `instanceof`, so it is Node's own class, and what is ours are own
 * properties: `_read` and `_destroy`, which Readable leaves to whoever makes one.
 */
import { IncomingMessage } from 'node:http';
import { ReceivedFields } from '../../fields/received.ts';
import type { Exchange, ExchangeRequest } from '../../gateway.ts';

/** Where a request and a response have what joins them. */
export const PAIR = Symbol('sluice.pair');

/** What a request belongs to. */
export interface RequestOwner {
  /** What `req.socket` is. */
  readonly socket: object;
  /** More of the body is wanted. */
  pull(): void;
  /** The request is being destroyed. */
  requestDestroyed(error: Error | null): void;
}

/** What Node's declarations leave out of the class. */
export interface Incoming extends IncomingMessage {
  [PAIR]: RequestOwner;
  _consuming: boolean;
  upgrade: boolean;
  readonly _readableState: { readingMore: boolean };
  joinDuplicateHeaders: boolean;
  _addHeaderLine(name: string, value: string, into: object): void;
  _addHeaderLines(flat: readonly string[], count: number): void;
}

/** What a server has been told of its requests. */
interface RequestSettings {
  readonly incomingMessage: typeof IncomingMessage | null;
  readonly joinDuplicateHeaders: boolean;
}

export function makeRequest(
  exchange: Exchange,
  owner: RequestOwner,
  settings: RequestSettings | null = null,
): Incoming {
  const { request } = exchange;
  const Message = settings?.incomingMessage ?? IncomingMessage;
  const req = new Message(owner.socket as never) as Incoming;
  if (settings?.joinDuplicateHeaders) req.joinDuplicateHeaders = true;
  req[PAIR] = owner;
  req._read = readBody;
  req._destroy = destroyRequest;
  req.method = request.method;
  req.url = request.path;
  const isEmpty = exchange.body.isAtEnd;
  const lines = linesOf(request, isEmpty);
  req._addHeaderLines(lines, lines.length);
  req.httpVersionMajor = 1;
  // Of a lower one Node's response would look for `te` in the headers and so make them; it is set right behind it.
  req.httpVersionMinor = 1;
  req.complete = isEmpty;
  req.upgrade = false;
  return req;
}

/** The real version, which frameworks and gRPC look at. */
export function setVersion(req: Incoming, version: string): void {
  req.httpVersionMajor = version === '2' ? 2 : 1;
  req.httpVersionMinor = version === '1.1' ? 1 : 0;
  req.httpVersion = version === '2' ? '2.0' : version;
}

/** Names and values in turns. Host comes first, as RFC 9110 section 7.2 wants it. */
function linesOf(request: ExchangeRequest, isEmpty: boolean): readonly string[] {
  const flat = ReceivedFields.flat(request.fields);
  const lines = request.authority === '' ? [...flat] : ['host', request.authority, ...flat];
  if (request.protocol === 'websocket') lines.push('connection', 'Upgrade', 'upgrade', 'websocket');
  // Body parsers look for one of two fields to see whether there is a body (RFC 9112 section 6.3); over HTTP/2 there may be neither.
  else if (!isEmpty && !request.fields.has('content-length')) lines.push('transfer-encoding', 'chunked');
  return lines;
}

/** Readable asks for more. */
function readBody(this: Incoming): void {
  if (!this._consuming) {
    // Node's request holds back reading ahead until somebody reads, and so do we: nothing is pulled for nobody.
    this._readableState.readingMore = false;
    this._consuming = true;
  }
  this[PAIR].pull();
}

/**
 * As Node's: a request that is destroyed before its end takes its connection along, which here is its exchange. The owner is told
 * first, as Node would wait for the end of a socket that is still there.
 */
function destroyRequest(this: Incoming, error: Error | null, callback: (error?: Error | null) => void): void {
  this[PAIR].requestDestroyed(error);
  IncomingMessage.prototype._destroy.call(this, error, callback);
}
