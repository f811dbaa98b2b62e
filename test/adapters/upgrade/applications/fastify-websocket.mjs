// @fastify/websocket, as in its README.
import websocket from '@fastify/websocket';
import Fastify from 'fastify';

const fastify = Fastify();
await fastify.register(websocket);

fastify.register(async (instance) => {
  instance.get('/fastify/plain', async () => ({ hello: 'http' }));
  instance.get('/fastify/chat', { websocket: true }, (socket, req) => {
    socket.on('message', (message) => socket.send(`${req.query.name}: ${message}`));
  });
});

export default fastify;
