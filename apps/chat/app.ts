/**
 * A chat room over WebSockets, the same over HTTP/1.1 and HTTP/2. The room lives in one thread, so its pool has one.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, type Resources } from '../site/routing.ts';
import { MAX_LINE_BYTES, Room } from './room.ts';

const RESOURCES: Resources = new Map([['/chat', { GET: showPage }]]);
const ROOM_PATH = '/chat/room';

const room = new Room();

export default function chat(exchange: Exchange): Promise<void> {
  const { protocol, path } = exchange.request;
  if (protocol === 'websocket' && path === ROOM_PATH) return join(exchange);
  return answer(exchange, RESOURCES);
}

/** The member's stay: it ends with the socket, and the socket with it. */
async function join(exchange: Exchange): Promise<void> {
  // Not before somebody comes: the applications start sooner without.
  const { acceptWebSocket } = await import('../../workers/websocket/accept.ts');
  const socket = await acceptWebSocket(exchange, { maxMessageBytes: MAX_LINE_BYTES, compression: true });
  if (socket === null) return;
  const name = room.enter(socket);
  try {
    for await (const line of socket) {
      if (typeof line === 'string') room.say(name, line);
      else void socket.close(1003, 'lines of text only');
    }
  } finally {
    room.leave(socket, name);
  }
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
