/**
 * Baseline: Fastify over HTTP/2, one thread.
 * Usage: fastify-http2.ts PORT
 */
import { fastify } from 'fastify';
import { HELLO } from '../content.ts';

const server = fastify({ http2: true });
server.get('/hello', (_request, reply) => reply.type('text/plain').send(HELLO));
await server.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
