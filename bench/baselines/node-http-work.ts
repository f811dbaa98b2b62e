/**
 * Baseline: `node:http` with a light and a CPU-heavy route, in one process or in a cluster, which spreads
 * connections. Usage: node-http-work.ts PORT PROCESSES
 */
import { createServer } from 'node:http';
import { HELLO, numberInPath } from '../content.ts';
import { work } from '../work.ts';
import { inCluster } from './in-cluster.ts';

const [port, processes] = process.argv.slice(2).map(Number);
const hello = Buffer.from(HELLO);

await inCluster(processes as number, () => {
  const server = createServer((request, response) => {
    const path = request.url as string;
    const body = path === '/hello' ? hello : Buffer.from(work(numberInPath(path)));
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
    response.end(body);
  });
  // The proxy decides how long its connections stay.
  server.keepAliveTimeout = 75_000;
  server.listen(port, '127.0.0.1');
});
