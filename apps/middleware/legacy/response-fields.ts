/**
 * Security fields by `helmet`.
 *
 * It sets them before any other layer sets fields. So they are merged into the later head, nothing is
 * withheld, and the layers below may overrule them. It cannot remove a field that is set later: an
 * application's `server` field stays, which the native form removes.
 */
import helmet from 'helmet';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function responseFields(): Middleware {
  return nodeMiddleware(helmet());
}
