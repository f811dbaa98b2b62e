/**
 * A limit to the request's body by `express.raw`, as Express applications have it.
 *
 * It reads the whole body before anything below is called, so nobody below can answer while a body comes; the body that it has read is
 * what is below gets.
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
      // Behind Express's own router its error page would say so.
      res.writeHead(413).end(`at most ${limitBytes} bytes\n`);
    }),
  );
}
