/**
 * Baseline: `ws` on one thread of `node:http`, whose application sends each message to every client.
 * Usage: ws-room.ts PORT
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { HELLO, numberInPath, ROOM_MESSAGE_BYTES, roomMessage } from '../content.ts';

const rooms = { plain: new WebSocketServer({ noServer: true }), deflated: deflating() };

function deflating(): WebSocketServer {
  return new WebSocketServer({ noServer: true, perMessageDeflate: { serverNoContextTakeover: true } });
}

const server = createServer((request, response) => {
  const { url = '' } = request;
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': HELLO.length });
  response.end(HELLO);
  if (!url.startsWith('/publish/')) return;
  const name = url.includes('/deflated/') ? 'deflated' : 'plain';
  const message = roomMessage(ROOM_MESSAGE_BYTES[name]);
  for (let n = numberInPath(url); n > 0; n--) {
    for (const client of rooms[name].clients) client.send(message);
  }
});
server.on('upgrade', (request, socket, head) => {
  const room = request.url === '/room/deflated' ? rooms.deflated : rooms.plain;
  room.handleUpgrade(request, socket, head, () => undefined);
});
server.listen(Number(process.argv[2]), '127.0.0.1');
