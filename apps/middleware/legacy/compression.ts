/**
 * Gzip by `compression`.
 *
 * It puts `write`, `end` and more over the response's, and keeps what is written until zlib has enough of it, or until somebody calls its
 * `res.flush()`, which no native application does: so streaming is withheld, and with it all that would go past.
 */
import compress from 'compression';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function compression(): Middleware {
  return nodeMiddleware(compress() as never);
}
