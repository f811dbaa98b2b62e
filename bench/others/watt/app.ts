/** For Watt: `node:http` with a light and a CPU-heavy route, as baselines/node-http-work.ts has them. */
import { createServer, type Server } from 'node:http';
import { HELLO, numberInPath } from '../../content.ts';
import { work } from '../../work.ts';

const hello = Buffer.from(HELLO);

/** Watt calls it in each worker and listens itself. */
export function build(): Server {
  const server = createServer((request, response) => {
    const path = request.url as string;
    const body = path === '/hello' ? hello : Buffer.from(work(numberInPath(path)));
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
    response.end(body);
  });
  // The proxy decides how long its connections stay.
  server.keepAliveTimeout = 75_000;
  return server;
}
