/** The smallest application, which benchmarks use: it allocates nothing per request. */
import type { Exchange } from '../../workers/gateway.ts';

const GREETING: Uint8Array = new TextEncoder().encode('hello, world\n');
const GREETING_FIELDS = Object.freeze({
  'content-type': 'text/plain; charset=utf-8',
  'content-length': GREETING.length,
});
const NOT_FOUND_FIELDS = Object.freeze({ 'content-type': 'text/plain; charset=utf-8' });
const WRONG_METHOD_FIELDS = Object.freeze({ ...NOT_FOUND_FIELDS, allow: 'GET, HEAD' });

/** Not async: a promise per request would cost more than everything else here. */
export default function hello(exchange: Exchange): void {
  const { method, path } = exchange.request;
  if (path !== '/hello' && !path.startsWith('/hello?')) {
    exchange.respond(404, NOT_FOUND_FIELDS, 'There is only /hello here.\n');
  } else if (method !== 'GET' && method !== 'HEAD') {
    exchange.respond(405, WRONG_METHOD_FIELDS, '/hello answers GET and HEAD.\n');
  } else {
    exchange.respond(200, GREETING_FIELDS, GREETING);
  }
}
