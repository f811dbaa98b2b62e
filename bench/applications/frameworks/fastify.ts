/** `/hello` in Fastify, as on node:http2 in bench/baselines. */
import { fastify } from 'fastify';
import { HELLO } from '../../content.ts';

const app = fastify();
app.get('/hello', (_request, reply) => reply.type('text/plain').send(HELLO));

export default app;
