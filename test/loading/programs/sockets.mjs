import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer();
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data) => socket.send(`got ${data}`));
});
server.listen(3000);
