import fastify from 'fastify';
import { enter, session } from './session.ts';

const application = fastify();
const found = new WeakMap<object, string>();
application.addHook('onRequest', (request, _reply, done) => {
  found.set(request.raw, enter(request.headers['x-user'] as string | undefined));
  done();
});
application.get('/*', async (request) => `${found.get(request.raw)}, then ${session.getStore()}`);

export default application;
