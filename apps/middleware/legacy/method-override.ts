/**
 * Replaces the request's method, by `method-override`. The layers below get a changed request and everything
 * else unchanged.
 */
import override from 'method-override';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function methodOverride(): Middleware {
  return nodeMiddleware(override('x-http-method-override') as never);
}
