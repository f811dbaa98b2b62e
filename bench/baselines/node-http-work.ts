/**
 * Baseline: `node:http` with a light and a CPU-heavy route, in one process or in a cluster, which spreads connections.
 * Usage: node-http-work.ts PORT PROCESSES
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { HELLO, numberInPath } from '../content.ts';
import { work } from '../work.ts';

const [port, processes] = process.argv.slice(2).map(Number);
const hello = Buffer.from(HELLO);

const server = createServer((request, response) => {
  const path = request.url as string;
  const body = path === '/hello' ? hello : Buffer.from(work(numberInPath(path)));
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
  response.end(body);
});
// The proxy decides how long its connections stay.
server.keepAliveTimeout = 75_000;

if (processes === 1) {
  server.listen(port, '127.0.0.1');
} else if (cluster.isPrimary) {
  let ready = 0;
  // All listen at once, or the first would have every connection of the warm-up.
  cluster.on('message', () => {
    if (++ready < processes) return;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.send('listen');
  });
  // A benchmark must not go on with fewer workers than it reports.
  cluster.on('exit', () => process.exit(1));
  for (let started = 0; started < processes; started++) cluster.fork();
} else {
  process.once('message', () => server.listen(port, '127.0.0.1'));
  process.send?.('ready');
}
