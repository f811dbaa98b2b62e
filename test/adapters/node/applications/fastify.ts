import { fastify } from 'fastify';
import { raw } from './raw.ts';

const app = fastify();
// The body is left to the handler.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, _payload, done) => done(null));
app.all('/*', (request, reply) => {
  // A framework that was told to keep away answers no errors either, so what is thrown is thrown before.
  if (/\/(throw|next)$/.test(request.url)) return raw(request.raw, reply.raw);
  reply.hijack();
  raw(request.raw, reply.raw);
});

export default app;
