/** Says a lot, and is over: as a response, a tunnel or a WebSocket. Tells `said` when the server has been given all of it. */
import type { Exchange, Tunnel } from '../../../workers/gateway.ts';
import { acceptWebSocket } from '../../../workers/websocket/accept.ts';
import { SIGNALS_FIELD, Signals } from '../signals.ts';

const PIECE = Buffer.alloc(65_536, 'words ');

export default async function lastWords(exchange: Exchange): Promise<void> {
  const { method, protocol, path, fields } = exchange.request;
  const signals = new Signals(fields.get(SIGNALS_FIELD) ?? 'nobody');
  void exchange.closed.then(() => setImmediate(() => signals.close()));
  const count = Number(fields.get('x-count'));
  if (protocol === 'websocket') {
    const socket = await acceptWebSocket(exchange, { closeTimeoutMs: 2_000 });
    await socket?.send(Buffer.alloc(count, 'words '));
  } else if (fields.has('x-refuse')) {
    exchange.respond(Number(fields.get('x-refuse')), {}, 'refused');
  } else if (method === 'CONNECT') {
    await say(exchange.accept(), count);
  } else if (path === '/at-once') {
    exchange.respond(200, {}, Buffer.alloc(count, 'words '));
  } else if (path === '/words') {
    exchange.respond(200, { 'content-length': count });
    await say(exchange, count);
  } else {
    exchange.respond(200, {}, 'hello');
  }
  signals.tell('said');
}

async function say(to: Exchange | Tunnel, count: number): Promise<void> {
  for (let said = 0; said < count; said += PIECE.length) {
    await to.write(PIECE.subarray(0, Math.min(PIECE.length, count - said)));
  }
  to.end();
}
