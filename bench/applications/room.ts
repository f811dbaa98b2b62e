/**
 * A room of WebSockets over all threads of its pool. `/room/plain` and `/room/deflated` join one;
 * `/publish/plain/N` and `/publish/deflated/N` send N messages to its members.
 */
import { topic } from '../../workers/actors/actors.ts';
import type { Exchange } from '../../workers/gateway.ts';
import { acceptWebSocket, PreparedMessage, type ServerWebSocket } from '../../workers/websocket/accept.ts';
import { HELLO, numberInPath, ROOM_MESSAGE_BYTES, roomMessage } from '../content.ts';

type RoomName = keyof typeof ROOM_MESSAGE_BYTES;

const members = { plain: new Set<ServerWebSocket>(), deflated: new Set<ServerWebSocket>() };

export async function start(): Promise<void> {
  await Promise.all([listen('plain'), listen('deflated')]);
}

async function listen(room: RoomName): Promise<void> {
  const said = topic<string>(room).subscribe({ capacity: 1_024, whenFull: 'close' });
  void tell(room, said);
  await said.ready;
}

async function tell(room: RoomName, said: AsyncIterable<string>): Promise<void> {
  for await (const text of said) {
    const message = new PreparedMessage(text);
    for (const member of members[room]) member.trySend(message);
  }
}

export default async function room(exchange: Exchange): Promise<void> {
  const { protocol, path } = exchange.request;
  const name = path.includes('deflated') ? 'deflated' : 'plain';
  if (protocol === 'websocket') {
    await join(exchange, name);
    return;
  }
  exchange.respond(200, { 'content-type': 'text/plain' }, HELLO);
  if (!path.startsWith('/publish/')) return;
  const message = roomMessage(ROOM_MESSAGE_BYTES[name]);
  for (let n = numberInPath(path); n > 0; n--) await topic<string>(name).publish(message);
}

async function join(exchange: Exchange, name: RoomName): Promise<void> {
  const socket = await acceptWebSocket(exchange, { compression: name === 'deflated' });
  if (socket === null) return;
  members[name].add(socket);
  for await (const _ of socket);
  members[name].delete(socket);
}
