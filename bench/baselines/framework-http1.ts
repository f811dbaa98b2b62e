/**
 * Baseline: a framework's application on `node:http`, in one process or in a cluster, each worker with the whole application.
 * Usage: framework-http1.ts PORT express|fastify PROCESSES
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import express from '../applications/frameworks/express.ts';
import fastify from '../applications/frameworks/fastify.ts';

const [port, framework, processes] = process.argv.slice(2);
const count = Number(processes);

async function listen(): Promise<void> {
  if (framework === 'fastify') await fastify.listen({ port: Number(port), host: '127.0.0.1' });
  else createServer(express).listen(Number(port), '127.0.0.1');
}

if (count === 1) {
  await listen();
} else if (cluster.isPrimary) {
  let ready = 0;
  // All workers start to listen at once. Otherwise the first would get every connection of the warm-up.
  cluster.on('message', () => {
    if (++ready < count) return;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.send('listen');
  });
  // A benchmark must not continue with fewer workers than it reports.
  cluster.on('exit', () => process.exit(1));
  for (let started = 0; started < count; started++) cluster.fork();
} else {
  process.once('message', () => void listen());
  process.send?.('ready');
}
