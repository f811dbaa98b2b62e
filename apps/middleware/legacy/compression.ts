/**
 * Gzip by `compression`.
 *
 * It replaces `write`, `end` and more on the response. It holds written data until zlib has enough of it, or
 * until a caller uses its `res.flush()`, which no native application does. So streaming is withheld, and with
 * it everything that would bypass the layer.
 */
import compress from 'compression';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function compression(): Middleware {
  return nodeMiddleware(compress() as never);
}
