/**
 * How long a response took, by `response-time`.
 *
 * It must know when the head leaves, and therefore replaces `writeHead` on the response. It touches only the
 * head: the body passes unchanged, including trailers.
 */
import responseTime from 'response-time';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function timing(): Middleware {
  return nodeMiddleware(responseTime() as never);
}
