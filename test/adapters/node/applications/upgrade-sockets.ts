/** What listeners of upgrades do with their sockets. */
import { createServer, type Server } from 'node:http';
import { Socket } from 'node:net';
import { missingIn } from './missing.ts';

const STATE = ['connecting', 'pending', 'readyState', 'destroyed', 'remoteAddress', 'remoteFamily'] as const;

export function upgradeSockets(): Server {
  const server = createServer((_req, res) => void res.end('alive'));
  server.on('upgrade', (req, socket: Socket) => {
    const accept = (): boolean =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    switch (req.url?.split('/').at(-1)) {
      case 'destroy-soon':
        accept();
        socket.write('last');
        socket.destroySoon();
        return;
      case 'reset':
        accept();
        socket.resetAndDestroy();
        return;
      case 'late':
        accept();
        socket.destroy();
        socket.write('late');
        socket.end('later');
        return;
      case 'destroy-request':
        accept();
        req.destroy();
        return;
    }
    const state = Object.fromEntries(STATE.map((name) => [name, socket[name]]));
    const seen = {
      ...state,
      server: (socket as { server?: unknown }).server === server,
      methods: missingIn(socket),
      isSocket: socket instanceof Socket,
    };
    socket.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n${JSON.stringify(seen)}`);
  });
  return server;
}

export default upgradeSockets();
