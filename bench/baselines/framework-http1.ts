/**
 * Baseline: a framework's application on `node:http`, in one process or in a cluster whose workers each have
 * the whole application. Usage: framework-http1.ts PORT express|fastify PROCESSES
 */
import { createServer } from 'node:http';
import express from '../applications/frameworks/express.ts';
import fastify from '../applications/frameworks/fastify.ts';
import { inCluster } from './in-cluster.ts';

const [portText, framework, processes] = process.argv.slice(2);
const port = Number(portText);

await inCluster(Number(processes), async () => {
  if (framework === 'fastify') await fastify.listen({ port, host: '127.0.0.1' });
  else createServer(express).listen(port, '127.0.0.1');
});
