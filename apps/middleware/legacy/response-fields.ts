/**
 * Fields for safety by `helmet`.
 *
 * It sets them before anybody else has said anything, so they are merged into the head that comes, nothing is withheld, and what is below may
 * overrule them. It cannot take out what is set later: `server` of an application stays, which the native form removes.
 */
import helmet from 'helmet';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function responseFields(): Middleware {
  return nodeMiddleware(helmet());
}
