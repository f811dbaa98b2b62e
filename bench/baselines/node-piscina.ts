/**
 * Baseline: one `node:http2` thread that gives its CPU work to piscina as tasks. Usage: node-piscina.ts PORT
 * THREADS
 */
import { createServer } from 'node:http2';
import { Piscina } from 'piscina';
import { streamHandler } from './streams.ts';

const [port, threads] = process.argv.slice(2).map(Number);

const pool = new Piscina({
  filename: new URL('./task.ts', import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
});
const server = createServer();
server.on(
  'stream',
  streamHandler((iterations) => pool.run(iterations)),
);
server.on('sessionError', () => {
  // A client was killed in the middle of its connection: only its session is gone.
});
server.listen(port, '127.0.0.1');
