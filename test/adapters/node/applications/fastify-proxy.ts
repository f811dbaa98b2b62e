/** @fastify/http-proxy, to where the request says. */
import proxy from '@fastify/http-proxy';
import { type FastifyInstance, fastify } from 'fastify';

export async function fastifyProxy(): Promise<FastifyInstance> {
  const app = fastify();
  await app.register(proxy, {
    upstream: '',
    prefix: '/fastify-proxy',
    replyOptions: { getUpstream: (request) => String(request.headers['x-upstream']) },
  });
  return app;
}

export default await fastifyProxy();
