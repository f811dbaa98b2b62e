/** What listeners of upgrades do with their sockets. */
import { createServer, type Server } from 'node:http';
import { Socket } from 'node:net';
import { missingIn } from './missing.ts';

const STATE = ['connecting', 'pending', 'readyState', 'destroyed', 'remoteAddress', 'remoteFamily'] as const;

/** By path: what they write when they are over. Whatever timers are compared end in the order of their deadlines, however busy the machine. */
export const timeouts: { readonly [path: string]: (socket: Socket, end: (seen: unknown) => void) => void } = {
  'timeout-heard': (socket, end) => {
    const isSame = socket.setTimeout(1, () => end([isSame, socket.timeout, socket.destroyed])) === socket;
  },
  'timeout-again': (socket, end) => {
    let count = 0;
    socket.setTimeout(1).on('timeout', () => {
      count++;
      socket.setTimeout(1);
      if (count === 3) end(count);
    });
  },
  'timeout-behind-write': (socket, end) => {
    const updates = updatesOf(socket);
    socket.write('x', () => end(updates() > 0));
  },
  'timeout-behind-read': (socket, end) => {
    const updates = updatesOf(socket);
    socket.once('data', () => end(updates() > 0));
  },
  'timeout-taken-back': (socket, end) => {
    const seen: string[] = [];
    const heard = () => seen.push('heard');
    socket.setTimeout(1, heard).setTimeout(0, heard);
    setTimeout(() => end([...seen, socket.timeout, socket.listenerCount('timeout')]), 2);
  },
  'timeout-destroyed': (socket, end) => {
    const seen: string[] = [];
    socket.setTimeout(1, () => seen.push('heard'));
    socket.destroy();
    setTimeout(() => end([...seen, socket.setTimeout(1) === socket]), 2);
  },
  'timeout-wrong': (socket, end) => {
    end(
      ['x', -1, Infinity, undefined].map((ms) => {
        try {
          return socket.setTimeout(ms as number) === socket;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      }),
    );
  },
};

/** How often its timeout has begun anew since. */
function updatesOf(socket: Socket): () => number {
  const update = (socket as Socket & { _unrefTimer: () => void })._unrefTimer;
  let updates = 0;
  Object.assign(socket, {
    _unrefTimer(this: Socket) {
      updates++;
      update.call(this);
    },
  });
  return () => updates;
}

/** What the last of them has seen. */
let told = Promise.withResolvers<unknown>();

export function upgradeSockets(): Server {
  const server = createServer((req, res) => {
    if (req.url !== '/told') return res.end('alive');
    return told.promise.then((seen) => res.end(JSON.stringify(seen)));
  });
  server.on('upgrade', (req, socket: Socket) => {
    const accept = (): boolean =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const path = req.url?.split('/').at(-1) ?? '';
    const timeout = timeouts[path];
    if (timeout !== undefined) {
      accept();
      told = Promise.withResolvers();
      const ended = told;
      timeout(socket, (seen) => {
        ended.resolve(seen);
        socket.end();
      });
      return;
    }
    switch (path) {
      case 'destroy-soon':
        accept();
        socket.write('last');
        socket.destroySoon();
        return;
      case 'reset':
        accept();
        socket.resetAndDestroy();
        return;
      case 'end-unread':
        accept();
        socket.end('last');
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
