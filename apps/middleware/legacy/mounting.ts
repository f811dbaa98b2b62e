/**
 * An application under a prefix, mounted by Express.
 *
 * Express removes the prefix from `req.url` for the application below. That application sees another path;
 * the rest of its exchange is the one above. Its pushes are not renamed, because Express does not know about
 * them.
 */
import express from 'express';
import { nodeMiddleware, toNode } from '../../../workers/adapters/node/node.ts';
import type { Application, Middleware } from '../../../workers/gateway.ts';

export function mount(prefix: string, mounted: Application): Middleware {
  const app = express()
    .disable('x-powered-by')
    .use(prefix, toNode(mounted) as never);
  return nodeMiddleware(app as never);
}
