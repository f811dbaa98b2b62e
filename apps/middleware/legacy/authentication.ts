/**
 * Basic authentication by `basic-auth`.
 *
 * A refusal is a head and a body. Admitting a user changes nothing but `req.user`, so the layers below keep
 * all of their exchange, including tunnels. A legacy layer puts what it knows on `req`, where no native layer
 * looks. So this file also passes it on under the native key.
 */
import type { IncomingMessage } from 'node:http';
import { parse } from 'basic-auth';
import { fromNode, toNode } from '../../../workers/adapters/node/node.ts';
import type { Application, Middleware } from '../../../workers/gateway.ts';
import { type AuthenticationOptions, KnownExchange } from '../native/authentication.ts';

export function authentication({ realm, verify }: AuthenticationOptions): Middleware {
  const challenge = `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`;
  return (application) =>
    fromNode(async (req, res, next) => {
      const given = parse(req.headers.authorization ?? '');
      if (given === undefined || !(await verify(given.name, given.pass))) {
        res.writeHead(401, { 'www-authenticate': challenge }).end('Who are you?\n');
        return;
      }
      (req as IncomingMessage & { user?: string }).user = given.name;
      toNode(knowing(application, given.name))(req, res, next);
    });
}

function knowing(application: Application, name: string): Application {
  return (exchange) => application(new KnownExchange(exchange, name));
}
