/**
 * Sessions by `express-session`, in the memory of one thread.
 *
 * It replaces `writeHead` and `end` on the response, to set its cookie at the last moment and to hold the
 * response until the session is stored. So push, tunnel and streaming are withheld below it. Its pool must
 * have one thread, or another store.
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
    // Its types are Express's, of which it uses only what Node's own request has.
    session({ secret, resave: false, saveUninitialized: true, cookie: { sameSite: 'lax' } }) as never,
  );
}
