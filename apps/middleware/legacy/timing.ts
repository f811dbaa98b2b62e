/**
 * How long it took, by `response-time`.
 *
 * It has to know when the head leaves, and puts its own `writeHead` over the response's for that. A head is all it touches: the body goes
 * past it, trailers with it.
 */
import responseTime from 'response-time';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function timing(): Middleware {
  return nodeMiddleware(responseTime() as never);
}
