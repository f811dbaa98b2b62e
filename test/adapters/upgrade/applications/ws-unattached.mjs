// `ws` without a server, and authentication on the upgrade, as in its README.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer();
const wss = new WebSocketServer({ noServer: true });

wss.on('connection', (ws, _request, client) => {
  ws.on('message', (data) => ws.send(`${client}: ${data}`));
});

server.on('upgrade', (request, socket, head) => {
  socket.on('error', console.error);
  if (request.headers['x-client'] === undefined) {
    socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n');
    socket.destroy();
    return;
  }
  if (request.headers['x-client'] === 'long') {
    socket.end(
      `HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${'no '.repeat(50_000)}`,
    );
    return;
  }
  if (request.headers['x-client'] === 'rude') {
    socket.destroy();
    return;
  }
  wss.handleUpgrade(request, socket, head, (ws) =>
    wss.emit('connection', ws, request, request.headers['x-client']),
  );
});

export default server;
