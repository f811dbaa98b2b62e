/**
 * Cross-origin resource sharing by `cors`.
 *
 * It sets its fields in advance and answers preflights itself. It is a well-behaved layer: below it
 * everything is still available.
 */
import share from 'cors';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';
import type { CorsOptions } from '../native/cors.ts';

export function cors({ origins, methods, credentials = false, maxAge = 600 }: CorsOptions): Middleware {
  const chosen = methods === undefined ? {} : { methods: [...methods] };
  return nodeMiddleware(share({ origin: [...origins], credentials, maxAge, ...chosen }) as never);
}
