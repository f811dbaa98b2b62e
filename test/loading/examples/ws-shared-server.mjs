import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_req, res) => res.end('no WebSocket'));
const greeting = new WebSocketServer({ noServer: true });
const echoing = new WebSocketServer({ noServer: true });

greeting.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('message', () => ws.send('hello'));
});
echoing.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('message', (message, isBinary) => ws.send(message, { binary: isBinary }));
});

server.on('upgrade', (request, socket, head) => {
  const { pathname } = new URL(request.url, 'wss://base.url');
  const wanted = { '/greeting': greeting, '/echoing': echoing }[pathname];
  if (wanted === undefined) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  wanted.handleUpgrade(request, socket, head, (ws) => wanted.emit('connection', ws, request));
});

server.listen(8080);
