/**
 * Baseline: `node:cluster` with one `node:http2` server per process, the standard way in Node to use every
 * core. It spreads connections, so the streams of one connection stay on one core. Usage: node-cluster.ts
 * PORT PROCESSES
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http2';
import { streamHandler } from './streams.ts';

const [port, processes] = process.argv.slice(2).map(Number);

if (cluster.isPrimary) {
  let ready = 0;
  // All workers start to listen at once: a worker that starts late would miss the warm-up's connections and
  // be measured cold.
  cluster.on('message', () => {
    if (++ready < processes) return;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.send('listen');
  });
  // A benchmark must not continue with fewer workers than it reports.
  cluster.on('exit', () => process.exit(1));
  for (let started = 0; started < processes; started++) cluster.fork();
} else {
  const server = createServer();
  server.on('stream', streamHandler());
  server.on('sessionError', () => {
    // A client was killed in the middle of its connection: only its session is gone.
  });
  process.once('message', () => server.listen(port, '127.0.0.1'));
  process.send?.('ready');
}
