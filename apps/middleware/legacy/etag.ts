/**
 * Entity tags with the package `etag` for every response. Connect middleware can only do this by collecting
 * the response.
 *
 * A head cannot wait in legacy code. So the layer replaces `writeHead`, `write` and `end` on the response and
 * holds everything back until the end. The layers below may send piece by piece, but nothing leaves before
 * the last piece: everything but interim responses is withheld.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import tagOf from 'etag';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

/** A larger response is sent without a tag. */
const MAX_COLLECTED_BYTES = 4 * 1024 * 1024;

export function etag(): Middleware {
  return nodeMiddleware((req, res, next) => {
    const isTagged = req.method === 'GET' || req.method === 'HEAD';
    // A WebSocket handshake over HTTP/1.1 is also a GET.
    if (isTagged && req.headers.upgrade === undefined) collect(res, req.headers['if-none-match']);
    next();
  });
}

function collect(res: ServerResponse, known: string | undefined): void {
  const { writeHead, write, end } = res;
  const pieces: Buffer[] = [];
  let bytes = 0;
  const pass = () => Object.assign(res, { writeHead, write, end });
  const keep = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const piece = typeof chunk === 'string' ? Buffer.from(chunk, encodingOf(encoding)) : Buffer.from(chunk);
    pieces.push(piece);
    bytes += piece.length;
  };

  res.writeHead = function head(this: ServerResponse, status: number, reason?: unknown, headers?: unknown) {
    this.statusCode = status;
    const fields = (typeof reason === 'string' ? headers : reason) as OutgoingHttpHeaders | undefined;
    for (const [name, value] of Object.entries(fields ?? {}))
      if (value !== undefined) this.setHeader(name, value);
    return this;
  } as ServerResponse['writeHead'];

  res.write = function collectPiece(
    this: ServerResponse,
    chunk: unknown,
    encoding?: unknown,
    done?: unknown,
  ) {
    keep(chunk, encoding);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') process.nextTick(callback as () => void);
    if (bytes <= MAX_COLLECTED_BYTES) return true;
    pass();
    return res.write(Buffer.concat(pieces.splice(0)));
  } as ServerResponse['write'];

  res.end = function endCollected(this: ServerResponse, chunk?: unknown, encoding?: unknown, done?: unknown) {
    const callback = [chunk, encoding, done].find((each) => typeof each === 'function') as
      | (() => void)
      | undefined;
    keep(chunk, encoding);
    const body = Buffer.concat(pieces);
    pass();
    if (res.statusCode !== 200) return res.end(body, callback);
    if (!res.hasHeader('etag')) res.setHeader('etag', tagOf(body));
    const tag = String(res.getHeader('etag'));
    if (!matches(known, tag)) return res.end(body, callback);
    res.statusCode = 304;
    for (const name of ['content-length', 'content-type', 'content-encoding']) res.removeHeader(name);
    return res.end(callback);
  } as ServerResponse['end'];
}

function encodingOf(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8';
}

function matches(known: string | undefined, tag: string): boolean {
  const opaque = (each: string) => each.trim().replace(/^W\//, '');
  return (known ?? '').split(',').some((each) => each.trim() === '*' || opaque(each) === opaque(tag));
}
