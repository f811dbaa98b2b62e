// A Fastify instance that is exported and never listens, as for its tests with inject().
import Fastify from 'fastify';

const fastify = Fastify();
fastify.get('/:name', async (request) => ({ hello: request.params.name }));

export default fastify;
