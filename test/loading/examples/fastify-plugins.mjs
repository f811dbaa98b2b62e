// As on fastify.dev, "Getting Started": async/await, a plugin, a schema, and a hook.
import Fastify from 'fastify';

const fastify = Fastify();

fastify.register(async (instance) => {
  instance.addHook('onRequest', async (_request, reply) => {
    reply.header('x-hook', 'called');
  });
  const body = { type: 'object', properties: { someKey: { type: 'number' } }, required: ['someKey'] };
  instance.post('/keys', { schema: { body } }, async (request) => ({ twice: 2 * request.body.someKey }));
});

const start = async () => {
  try {
    await fastify.listen({ port: 3000 });
  } catch (err) {
    fastify.log.error(err);
    process.exit(1);
  }
};
start();
