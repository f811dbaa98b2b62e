/** An application, and an exporter of metrics that listens for itself as soon as it is made. */
import { createServer } from 'node:http';
import { threadId } from 'node:worker_threads';

createServer((req, res) => {
  if (req.url === '/die') process.exit(1);
  res.end(`metrics of ${threadId}`);
}).listen(Number(process.env.METRICS_PORT), '127.0.0.1');

createServer((_req, res) => res.end('the application')).listen(3000);
