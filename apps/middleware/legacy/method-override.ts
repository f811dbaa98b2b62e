/** Another method than the one that came, by `method-override`: what is below has a changed request and all the rest. */
import override from 'method-override';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function methodOverride(): Middleware {
  return nodeMiddleware(override('x-http-method-override') as never);
}
