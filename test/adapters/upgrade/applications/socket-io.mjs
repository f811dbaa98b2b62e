// Socket.IO on a server of node:http, as in its documentation.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const httpServer = createServer();
const io = new Server(httpServer, { path: '/socket.io/' });

io.on('connection', (socket) => {
  socket.emit('welcome', socket.conn.transport.name);
  socket.on('echo', (...args) => {
    const reply = args.pop();
    reply(...args);
  });
  socket.on('join', (room) => {
    socket.join(room);
    io.to(room).emit('joined', room);
  });
});

httpServer.listen(3000);
