/** `every-member` on node:http and node:http2, in a process of its own: what ends a process is counted, and told at `/uncaught`. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { handler } from './applications/every-member.ts';

let uncaught = 0;
process.on('uncaughtException', () => {
  uncaught++;
});
const answer = (req: IncomingMessage, res: ServerResponse): void => {
  if (req.url !== '/uncaught') handler(req, res);
  else {
    res.end(String(uncaught));
    uncaught = 0;
  }
};
const servers = [createServer(answer), createHttp2(answer as never)];
const ports = servers.map(async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
});
process.send?.(await Promise.all(ports));
// Its parent may be ended by a test runner.
process.once('disconnect', () => process.exit());
