/**
 * An application under a prefix, as Express mounts one.
 *
 * Express takes the prefix from `req.url` while it is below: the application there sees another path, and the rest of its exchange is the
 * one above. Its pushes are not renamed, as Express knows nothing of them.
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
