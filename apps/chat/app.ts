/**
 * Chat rooms over WebSockets, in the same way over HTTP/1.1 and HTTP/2. Members of a room may be on any
 * thread of the pool: their messages go through the room's topic.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, type Resources, respondText } from '../site/routing.ts';
import { MAX_LINE_BYTES, roomNameOf } from './lines.ts';
import { enter } from './room.ts';

const RESOURCES: Resources = new Map([['/chat', { GET: showPage }]]);
const ROOM_PATH = '/chat/room';
/** The most that is buffered for a member that does not read; beyond it the member is disconnected. */
const MAX_UNSENT_BYTES = 65_536;

export default function chat(exchange: Exchange): Promise<void> {
  const { protocol, path } = exchange.request;
  const [file, query] = path.split('?', 2);
  if (protocol === 'websocket' && file === ROOM_PATH) {
    return join(exchange, roomNameOf(new URLSearchParams(query).get('name')));
  }
  return answer(exchange, RESOURCES);
}

/** A member's stay. It ends with the socket, and the socket ends with it. */
async function join(exchange: Exchange, room: string | null): Promise<void> {
  if (room === null) {
    respondText(exchange, 400, 'A room has a name of at most 40 letters, digits, "-" and "_".\n');
    return;
  }
  // Loaded with the first member, so that the applications start sooner.
  const { acceptWebSocket } = await import('../../workers/websocket/accept.ts');
  const socket = await acceptWebSocket(exchange, {
    maxMessageBytes: MAX_LINE_BYTES,
    maxUnsentBytes: MAX_UNSENT_BYTES,
    compression: true,
  });
  if (socket === null) return;
  const stay = await enter(room, socket);
  try {
    for await (const line of socket) {
      if (typeof line === 'string') await stay.say(line);
      else void socket.close(1003, 'lines of text only');
    }
  } finally {
    stay.leave();
  }
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
