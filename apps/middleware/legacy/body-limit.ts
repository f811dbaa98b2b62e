/**
 * A limit for the request's body by `express.raw`, as in Express applications.
 *
 * It reads the whole body before anything below is called. So no layer below can respond while a body
 * arrives; the layers below get the body that it has read.
 */
import express from 'express';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export function bodyLimit(limitBytes: number): Middleware {
  const read = express.raw({ limit: limitBytes, type: () => true });
  return nodeMiddleware((req, res, next) =>
    read(req as never, res as never, (error?: unknown) => {
      if ((error as { status?: number } | undefined)?.status !== 413) {
        next(error);
        return;
      }
      // Express's error page would say so behind its own router.
      res.writeHead(413).end(`at most ${limitBytes} bytes\n`);
    }),
  );
}
