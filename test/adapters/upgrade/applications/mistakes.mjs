// Upgrade listeners that do what cannot be done, each in its own way.
import { createServer } from 'node:http';

const server = createServer((_req, res) => res.end('alive'));
const mistakes = {
  'no-status': (socket) => socket.write('HTTP/1.1 999 No\r\n\r\n'),
  'no-head': (socket) => socket.write('hello\r\n\r\n'),
  'no-field': (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nbad name: a\r\n\r\n'),
  'endless-head': (socket) => socket.write(`HTTP/1.1 101 Switching Protocols\r\nx: ${'x'.repeat(70_000)}`),
  'ends-first': (socket) => socket.end(),
  later: (socket) => setImmediate(() => socket.write('HTTP/1.1 999 No\r\n\r\n')),
  member: (socket) => socket.connect(80),
  throws: () => {
    throw new Error('thrown by a listener');
  },
  rejects: async () => {
    throw new Error('rejected by a listener');
  },
  // It means to, and is no mistake.
  destroys: (socket) => socket.destroy(new Error('not now')),
};
server.on('upgrade', (req, socket) => mistakes[req.url.slice(1).split('?')[0]](socket));

export default server;
