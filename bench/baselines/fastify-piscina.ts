/**
 * Baseline: fastify over HTTP/2 that gives its CPU work to piscina as tasks, as many would build it today.
 * Usage: fastify-piscina.ts PORT THREADS
 */
import { fastify } from 'fastify';
import { Piscina } from 'piscina';
import { HELLO, LIGHT } from '../content.ts';

const [port, threads] = process.argv.slice(2).map(Number);

const pool = new Piscina({
  filename: new URL('./task.ts', import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
});
const server = fastify({ http2: true });
server.get('/hello', (_request, reply) => reply.type('text/plain').send(HELLO));
server.get('/light', (_request, reply) => reply.type('text/plain').send(LIGHT));
server.get<{ Params: { iterations: string } }>('/compute/:iterations', async (request, reply) => {
  const proof: string = await pool.run(Number(request.params.iterations));
  return reply.type('text/plain').send(proof);
});
await server.listen({ port, host: '127.0.0.1' });
