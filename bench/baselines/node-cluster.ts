/**
 * Baseline: `node:cluster` with one `node:http2` server per process, the standard way in Node to use every
 * core. The streams of one connection stay on one core. Usage: node-cluster.ts PORT PROCESSES
 */
import { createServer } from 'node:http2';
import { inCluster } from './in-cluster.ts';
import { streamHandler } from './streams.ts';

const [port, processes] = process.argv.slice(2).map(Number);

await inCluster(processes as number, () => {
  const server = createServer();
  server.on('stream', streamHandler());
  server.on('sessionError', () => {
    // A client was killed in the middle of its connection: only its session is gone.
  });
  server.listen(port, '127.0.0.1');
});
