/** `every-member` on node:http, in a process of its own: what ends a process is counted, and told at `/uncaught`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handler } from './applications/every-member.ts';

let uncaught = 0;
process.on('uncaughtException', () => {
  uncaught++;
});
const server = createServer((req, res) => {
  if (req.url !== '/uncaught') handler(req, res);
  else {
    res.end(String(uncaught));
    uncaught = 0;
  }
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// Its parent may be ended by a test runner.
process.once('disconnect', () => process.exit());
