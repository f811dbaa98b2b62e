/**
 * An error page in the Express way: a handler with four parameters, after everything else.
 *
 * The application below reports its failure through `next`, so the application of the page must be inside an
 * Express application. That changes nothing of request and response: below it everything is still available.
 */
import express, { type NextFunction, type Request, type Response } from 'express';
import { fromNode, toNode } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';
import { pageOf } from '../native/debug-page.ts';

export function debugPage(): Middleware {
  return (application) => {
    const app = express().disable('x-powered-by').disable('etag');
    app.use(toNode(application) as never);
    app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
      // It is too late for a page: the response must break off, which Express leaves to the layers above.
      if (res.headersSent) next(error);
      else res.status(500).set('cache-control', 'no-store').type('html').send(pageOf(error));
    });
    return fromNode(app as never);
  };
}
