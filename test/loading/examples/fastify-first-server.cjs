// As on fastify.dev, "Getting Started": the first server.
const fastify = require('fastify')({ logger: false });

fastify.get('/', (_request, reply) => {
  reply.send({ hello: 'world' });
});

fastify.listen({ port: 3000 }, (err) => {
  if (err) {
    fastify.log.error(err);
    process.exit(1);
  }
});
