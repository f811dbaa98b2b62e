/**
 * Sessions by `express-session`, in the memory of one thread.
 *
 * It puts its own `writeHead` and `end` over the response's, to set its cookie at the last moment and to keep the response back until the
 * session is stored. So what is below has neither push nor tunnel nor streaming, and its pool must have one thread, or another store.
 */
import session from 'express-session';
import { nodeMiddleware } from '../../../workers/adapters/node/node.ts';
import type { Middleware } from '../../../workers/gateway.ts';

export interface SessionOptions {
  /** Signs the cookie. */
  readonly secret: string;
}

export function sessions({ secret }: SessionOptions): Middleware {
  return nodeMiddleware(
    // Its types are of Express, of which it uses nothing that Node's own request has not.
    session({ secret, resave: false, saveUninitialized: true, cookie: { sameSite: 'lax' } }) as never,
  );
}
