/**
 * An error page as Express has them: a handler of four parameters, behind everything else.
 *
 * What is below reports its failure through `next`, so the page's application has to be inside of an Express application. That changes
 * nothing of request and response: below it everything is left.
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
      // Too late for a page: the response has to break off, which Express leaves to whoever is above.
      if (res.headersSent) next(error);
      else res.status(500).set('cache-control', 'no-store').type('html').send(pageOf(error));
    });
    return fromNode(app as never);
  };
}
