// Upgrade listeners that read nothing. `/heard` tells, when its socket has closed, what the one before has heard.
import { createServer } from 'node:http';

const HEADS = {
  '/accepts': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  '/declines': 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nfoo',
};
let heard = Promise.withResolvers();
const server = createServer((_req, res) => heard.promise.then((events) => res.end(events.join())));

server.on('upgrade', (req, socket) => {
  heard = Promise.withResolvers();
  const events = [];
  socket.on('end', () => {
    events.push('end');
    socket.end();
  });
  socket.on('close', () => heard.resolve([...events, 'close']));
  socket.write(HEADS[req.url]);
});

export default server;
