import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { Watch } from './watch.ts';

/** `ws` on the sockets of upgrades. Each message is answered by the verdict so far. */
const server = createServer((_req, res) => void res.end());
new WebSocketServer({ server }).on('connection', (socket, req) => {
  const watch = new Watch(req.headers['x-user'] as string | undefined);
  for (const event of ['data', 'drain', 'timeout', 'end', 'close'])
    req.socket.on(event, () => watch.see(`socket ${event}`));
  req.socket.setTimeout(1);
  for (const event of ['ping', 'pong', 'close', 'error']) socket.on(event, () => watch.see(event));
  socket.on('message', () => {
    watch.see('message');
    socket.ping(() => watch.see('pinged'));
    socket.send(watch.verdict, () => watch.see('sent'));
  });
});

export default server;
