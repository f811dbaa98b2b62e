/**
 * Handles the rest of a request whose response is complete (docs/sgi.md, rule 5.10), on a server of node:http or node:http2. Over HTTP/2
 * the stream is reset with NO_ERROR. Over HTTP/1 the rest is discarded, so that the connection can carry the next request; if it does not
 * end in time, the connection is closed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

const NO_ERROR = 0;

export function stopRequest(
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  discardTimeoutMs: number,
): void {
  if (req.complete || req.destroyed) return;
  const stop = () => {
    if (req.complete || req.destroyed) return;
    if ('stream' in req) req.stream?.close(NO_ERROR);
    else discard(req, discardTimeoutMs);
  };
  if (res.writableFinished) stop();
  else res.once('finish', stop);
}

function discard(req: IncomingMessage, timeoutMs: number): void {
  const { socket } = req;
  const timer = setTimeout(() => socket.destroySoon(), timeoutMs).unref();
  req.once('close', () => clearTimeout(timer));
  req.resume();
}
